// Live events: one stream for all pages that a browser shows. Without HTTP/2 a browser keeps six connections to a
// server, for everything: with a stream for each page the seventh page would never load. Where browsers have shared
// workers, this file runs as one and gives each page what concerns it; elsewhere each page has a line of its own.
"use strict";

const calm = 5000, calmest = 60000; // milliseconds until a server that refused is asked again

// A Line is one stream of events with the pages that listen to it. A page has .words, which it shows; .since, when the
// server began to read what it shows, in its milliseconds, or 0 when it fetches all anew; and .tell, which takes
// messages: { state: "open", "lost" or "refused" }, { changed: words } and { look: true }, fetch everything.
class Line {
  pages = new Set();
  fresh = new Set(); // those of which the server has not been asked yet whether they missed something
  source = null; // what events come from
  next = null; // what takes its place once it is open, so that nothing is missed between the two
  heard = new Set(); // the words of source
  refusals = 0; // one after the other
  again = 0;

  join(page) {
    this.pages.add(page);
    if (page.since) this.fresh.add(page);
    const open = this.source?.readyState === EventSource.OPEN;
    if (!page.since && open && page.words.every((word) => this.heard.has(word))) page.tell({ state: "open" });
    else this.dial();
  }

  leave(page) {
    this.pages.delete(page);
    this.fresh.delete(page);
    if (!this.pages.size) this.hangUp();
  }

  hangUp() {
    clearTimeout(this.again);
    this.source?.close();
    this.next?.close();
    this.source = this.next = null;
  }

  tell(message) {
    for (const page of this.pages) page.tell(message);
  }

  dial() {
    clearTimeout(this.again);
    this.next?.close();
    const fresh = [...this.fresh];
    const words = new Set([...this.pages].flatMap((page) => page.words));
    const query = new URLSearchParams({ words: [...words].join(" ") });
    if (fresh.length) query.set("since", Math.min(...fresh.map((page) => page.since)));
    const source = this.next = new EventSource(`/live?${query}`);
    source.onopen = () => {
      if (this.next === source) {
        this.source?.close();
        [this.source, this.next, this.heard] = [source, null, words];
        fresh.forEach((page) => this.fresh.delete(page));
      }
      this.refusals = 0;
      this.tell({ state: "open" });
    };
    source.onerror = () => {
      const refused = source.readyState === EventSource.CLOSED; // otherwise the browser asks again by itself
      this.tell({ state: refused ? "refused" : "lost" });
      if (!refused) return;
      this.hangUp();
      const rest = Math.min(calm * 2 ** this.refusals++, calmest) * (1 + Math.random() / 2);
      this.again = setTimeout(() => {
        if (this.refusals > 1) this.tell({ look: true });
        this.dial();
      }, rest);
    };
    source.addEventListener("changed", (event) => {
      const changed = event.data.split(" ");
      for (const page of this.pages) {
        const words = changed.filter((word) => page.words.includes(word));
        if (words.length) page.tell({ changed: words });
      }
    });
    source.addEventListener("missed", () => fresh.forEach((page) => page.tell({ look: true })));
  }
}

// As a shared worker, it has a line for the pages that have joined: a page sends its words and since, and nothing when
// it leaves.
if (typeof SharedWorkerGlobalScope === "function" && self instanceof SharedWorkerGlobalScope) {
  const line = new Line();
  self.onconnect = (event) => {
    const port = event.ports[0];
    let page = null;
    port.onmessage = ({ data }) => {
      if (page) line.leave(page);
      page = data && { ...data, tell: (message) => port.postMessage(message) };
      if (page) line.join(page);
    };
  };
}
