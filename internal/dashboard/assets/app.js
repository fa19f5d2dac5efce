// Pages work without this file. With it, parts of a page follow what happens on the server, tables remember a
// selection, and what a button did shows without a reload.
"use strict";

// Parts with data-live fetch themselves anew when an event names them. data-live holds words: "orders" (any order),
// "cmp_1" or "ord_1" (that campaign or order), "deliveries". data-src is the address of the part; the page's own
// when empty. data-rest is seconds between two times that it is fetched, where that is more work; data-with is the id
// of what comes with it. Where such parts are in another one, data-stays keeps them when that is fetched.
const fragments = () => [...document.querySelectorAll("[data-live]")];

function matches(part, words) {
  return part.dataset.live.split(" ").some((word) => words.has(word));
}

const pending = new Map(); // part id → timer, so that a burst of events is one request
const loading = new Set();
const asked = new Map(); // part id → when it was asked for last
let took = 0; // milliseconds that the last part needed: a server that is busy is asked less often

function schedule(part) {
  if (!part.id || pending.has(part.id)) return;
  const since = performance.now() - (asked.get(part.id) ?? -Infinity);
  const rest = Math.max(Math.min(Math.max(120, took * 3), 5000), (part.dataset.rest ?? 0) * 1000 - since);
  pending.set(part.id, setTimeout(() => { pending.delete(part.id); refresh(part.id); }, rest + Math.random() * 80));
}

// typing says whether somebody is at work in a field of a part, or wrote into one and has not sent it yet: new markup
// would take away what they wrote.
const written = new WeakSet();
document.addEventListener("input", (event) => written.add(event.target));
const fields = "input:not([type=checkbox]), select, textarea";

function typing(part) {
  return part.contains(document.activeElement) && document.activeElement.matches(fields) ||
    [...part.querySelectorAll(fields)].some((e) => written.has(e) && e.value !== e.defaultValue);
}

async function refresh(id) {
  const part = document.getElementById(id);
  if (!part) return;
  if (loading.has(id) || typing(part)) {
    setTimeout(() => schedule(part), 400); // it is being fetched, or typed into: later
    return;
  }
  loading.add(id);
  try {
    const address = new URL(part.dataset.src || location.href, location.href);
    address.searchParams.set("part", id);
    const began = performance.now();
    asked.set(id, began);
    const answer = await fetch(address, { headers: { Accept: "text/html" }, redirect: "error" });
    const text = await answer.text();
    took = performance.now() - began;
    if (answer.ok) markHeld(answer);
    if (answer.ok && typing(part)) setTimeout(() => schedule(part), 400); // since it was asked for
    else if (answer.ok) replace(part, text);
    else if (answer.status === 429 || answer.status === 503) setTimeout(() => schedule(part), later(answer));
  } catch {
    // the connection is gone; its return refreshes everything
  } finally {
    loading.delete(id);
  }
}

// later is after how many milliseconds a server that has too much to do wants to be asked again. Not all pages ask at
// the same moment.
function later(answer) {
  return (Number(answer.headers.get("Retry-After")) || 5) * 1000 * (1 + Math.random());
}

const lit = 1800; // milliseconds for which what changed is lit, as in app.css

// light lights a line up that changed at a time; where it was lit before and put in place anew, it fades on.
function light(line, at) {
  const since = Date.now() - at;
  if (since >= lit) return;
  line.changedAt = at;
  line.style.setProperty("--lit", `${-since}ms`);
  line.classList.add("changed");
}

// replace puts new markup in a part's place: what is chosen stays chosen, what has focus keeps it, what changed
// lights up.
function replace(part, text) {
  const box = document.createElement("template");
  box.innerHTML = text;
  const fresh = box.content.getElementById(part.id);
  if (!fresh) return;
  const before = new Map([...part.querySelectorAll("[data-key]")].map((e) => [e.dataset.key, e]));
  const chosen = new Set([...part.querySelectorAll("input[type=checkbox][name=ids]:checked")].map((e) => e.value));
  const open = new Set([...part.querySelectorAll("details[id][open]")].map((e) => e.id));
  const active = part.contains(document.activeElement) ? document.activeElement : null;
  const focus = active?.id || active?.dataset.focus || "";
  const scroll = [...part.querySelectorAll(".table-wrap")].map((e) => [e.scrollLeft, e.scrollTop]);
  const also = fresh.dataset.with ? box.content.getElementById(fresh.dataset.with) : null;
  if (also) document.getElementById(also.id)?.replaceWith(also);
  for (const e of fresh.querySelectorAll("[data-stays]")) {
    const there = part.querySelector(`#${CSS.escape(e.id)}`);
    if (there) e.replaceWith(there);
    else if (e.dataset.live) schedule(e); // there was no room for it
  }
  part.replaceWith(fresh);
  for (const e of fresh.querySelectorAll("[data-key]")) {
    const was = before.get(e.dataset.key);
    if (was?.textContent !== e.textContent) light(e, Date.now());
    else if (was.changedAt) light(e, was.changedAt);
  }
  for (const e of fresh.querySelectorAll("input[type=checkbox][name=ids]")) e.checked = chosen.has(e.value);
  for (const id of open) { const e = document.getElementById(id); if (e) e.open = true; }
  fresh.querySelectorAll(".table-wrap").forEach((e, i) => { if (scroll[i]) [e.scrollLeft, e.scrollTop] = scroll[i]; });
  if (focus) place(fresh, focus)?.focus({ preventScroll: true });
  enhance(fresh);
}

// place finds what had focus. A button of a row may be gone, since it was pressed: then it is the first thing of the
// row with the same word before the colon.
function place(part, focus) {
  return document.getElementById(focus) || part.querySelector(`[data-focus="${CSS.escape(focus)}"]`) ||
    focus.includes(":") && part.querySelector(`[data-focus^="${CSS.escape(focus.split(":")[0])}:"]`) || null;
}

// Live events come over a line (live.js) that all pages of the browser share. Whatever was missed is fetched when the
// connection is back. Where the server refuses the events, since too many pages are open, the page says so, and fetches
// its parts whenever the server is asked again. A page that nobody sees does not listen; it catches up when it is
// shown.
const away = 2000; // milliseconds out of sight until a page stops listening
let lost = 0; // the timer until the page says so
let behind = false; // what it shows is to be fetched anew once events come

// ownLine is for browsers without shared workers, or that refuse one.
function ownLine() {
  const line = new Line();
  let page = null;
  return (words) => {
    if (page) line.leave(page);
    page = words && { ...words, tell: hear };
    if (page) line.join(page);
  };
}

function sharedLine(address, failed) {
  const worker = new SharedWorker(address);
  worker.onerror = failed;
  worker.port.onmessage = (event) => hear(event.data);
  return (words) => worker.port.postMessage(words);
}

// hear takes a message of the line.
function hear(message) {
  if (message.state) connection(message.state);
  if (message.look) fragments().forEach(schedule);
  if (!message.changed) return;
  const changed = new Set(message.changed);
  if (changed.has("account")) fragments().forEach(schedule); // the currency and the zone of all figures
  else fragments().filter((part) => matches(part, changed)).forEach(schedule);
}

// connection shows how it stands.
function connection(state) {
  const band = document.getElementById("offline");
  document.documentElement.dataset.connected = state === "open" ? "yes" : "no";
  if (behind && state !== "lost") fragments().forEach(schedule);
  behind = state !== "open";
  if (state === "open") {
    clearTimeout(lost);
    lost = 0;
    band.hidden = true;
    return;
  }
  if (!lost) lost = setTimeout(() => { band.hidden = false; }, 1500);
  band.querySelector("[data-lost]").hidden = state === "refused";
  band.querySelector("[data-refused]").hidden = state !== "refused";
}

function listen() {
  if (!document.getElementById("offline") || !window.EventSource || !fragments().length) return;
  const words = [...new Set(fragments().flatMap((part) => part.dataset.live.split(" ")))];
  let since = Number(document.body.dataset.since);
  let send = null; // of the line, once there is one
  let listening = false;
  let leaving = 0;

  const own = () => {
    send = ownLine();
    if (listening) send({ words, since });
  };
  const join = () => {
    clearTimeout(leaving);
    if (listening) return;
    listening = true;
    behind = !since;
    try {
      if (window.SharedWorker) send ??= sharedLine(document.body.dataset.line, own);
    } catch {
      // the browser has them, but not for this page
    }
    if (send) send({ words, since });
    else own();
  };
  const leave = () => {
    clearTimeout(leaving);
    if (!listening) return;
    listening = false;
    since = 0;
    send(null);
    clearTimeout(lost);
    lost = 0;
    document.documentElement.dataset.connected = "away";
  };
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leaving);
    if (document.hidden) leaving = setTimeout(leave, away);
    else join();
  });
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => { if (event.persisted && !document.hidden) join(); });
  if (!document.hidden) join();
}

// Figures that are computed anew are marked as those from before the change, until all are done. Each part says how far
// that is; a page that shows some asks now and then, and fetches its parts when they are done.
let heldLook = 0;

function markHeld(answer) {
  const band = document.getElementById("held");
  if (!band) return;
  const percent = answer.headers.get("X-Recalculation");
  document.body.classList.toggle("held-back", percent !== null);
  band.hidden = percent === null;
  band.querySelector("[data-percent]").textContent = percent ?? "";
  clearTimeout(heldLook);
  heldLook = percent === null ? 0 : setTimeout(askHeld, 2000);
}

async function askHeld() {
  try {
    const answer = document.hidden ? null : await fetch("/recalculation", { redirect: "error" });
    if (!answer?.ok) heldLook = setTimeout(askHeld, 2000);
    else if (answer.headers.has("X-Recalculation")) markHeld(answer);
    else fragments().length ? fragments().forEach(schedule) : markHeld(answer);
  } catch {
    heldLook = setTimeout(askHeld, 5000); // the connection is gone
  }
}

// numberText writes a number for the person, as the server does: a whole one, or a text such as "-1234.50".
function numberText(number) {
  const { group, decimal, indian } = document.documentElement.dataset;
  const [, sign, whole, fraction] = /^(-?)(\d+)(\.\d+)?$/.exec(String(number));
  const last = /\B(?=(\d{3})+$)/g, pairs = /\B(?=(\d{2})*\d{3}$)/g;
  return (sign && "−") + whole.replace(indian === undefined ? last : pairs, group) +
    (fraction ? decimal + fraction.slice(1) : "");
}

// Selection: the toolbar shows how many rows are chosen and what they add up to. A row's box has amounts in data-value,
// data-commission, …, as decimal numbers, and their currency in data-currency; the toolbar shows a sum where it has
// data-sum="value", with the word of data-words behind it.
function select(form) {
  const bar = form.querySelector(".selection");
  if (!bar) return;
  const rows = () => [...form.querySelectorAll("input[type=checkbox][name=ids]")];
  const show = () => {
    const matching = form.querySelector("[data-matching]");
    const everything = matching?.querySelector("input[name=all]");
    if (!everything) delete form.dataset.all; // there is one page alone now
    if (form.dataset.all) rows().forEach((e) => { e.checked = true; }); // also those that came meanwhile
    const chosen = rows().filter((e) => e.checked);
    const n = chosen.length;
    const page = n > 0 && n === rows().length;
    bar.hidden = n === 0;
    if (everything) {
      everything.checked = Boolean(form.dataset.all);
      matching.hidden = !page;
      if (page) sumMatching(matching, show);
    }
    const all = form.dataset.all ? matching : null;
    const words = bar.querySelector("[data-count]");
    if (words) words.textContent = `${numberText(all ? all.dataset.matching : n)} selected`;
    for (const e of bar.querySelectorAll("[data-sum]")) {
      const of = all?.querySelector(`[data-of="${e.dataset.sum}"]`);
      const text = all ? of?.textContent : sums(chosen, e.dataset.sum);
      e.textContent = [text, e.dataset.words].filter(Boolean).join(" ");
      e.hidden = !text;
    }
    // What is decided about all that match is asked on a page of its own.
    for (const e of bar.querySelectorAll("[data-quiet], [data-asks]")) {
      e.toggleAttribute("data-quiet", !all);
      e.toggleAttribute("data-asks", Boolean(all));
    }
    const head = form.querySelector("input[data-all]");
    if (head) { head.checked = page; head.indeterminate = n > 0 && !page; }
  };
  form.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches?.("input[data-all]")) rows().forEach((e) => { e.checked = box.checked; });
    if (box.matches?.("input[name=all]") && box.checked) form.dataset.all = "yes";
    else if (box.matches?.("input[name=all], input[data-all], input[name=ids]")) delete form.dataset.all;
    show();
  });
  show();
}

// sumMatching asks once what all rows that match add up to: the server knows those of other pages.
async function sumMatching(matching, then) {
  const place = matching.querySelector("[data-matching-sums]");
  if (!place || matching.dataset.asked) return;
  matching.dataset.asked = "yes";
  const address = new URL(location.href);
  address.searchParams.set("part", "matching");
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" }, redirect: "error" });
    if (!answer.ok) return;
    const box = document.createElement("template");
    box.innerHTML = await answer.text();
    place.replaceChildren(box.content);
    then();
  } catch {
    // without the sums the number alone is shown
  }
}

// sums adds the amounts of boxes up, exactly, for each currency by itself: "1,234.50 USD + 12 JPY".
function sums(boxes, name) {
  const totals = new Map(); // currency → [minor units, decimals]
  for (const { dataset } of boxes) {
    if (!dataset[name]) continue;
    const decimals = dataset[name].split(".")[1]?.length || 0;
    const [sum, most] = totals.get(dataset.currency) || [0n, decimals];
    totals.set(dataset.currency, [sum + BigInt(dataset[name].replace(".", "")), most]);
  }
  return [...totals].map(([currency, [sum, decimals]]) => `${decimalNumber(sum, decimals)} ${currency}`).join(" + ");
}

// decimalNumber writes an amount in minor units as the pages write amounts.
function decimalNumber(minor, decimals) {
  const digits = String(minor < 0n ? -minor : minor).padStart(decimals + 1, "0");
  const at = digits.length - decimals;
  return numberText(`${minor < 0n ? "-" : ""}${digits.slice(0, at)}${decimals ? "." : ""}${digits.slice(at)}`);
}

// A field for a time zone begins with the browser's, where nobody has chosen another.
function zones(root) {
  for (const field of root.querySelectorAll("input[data-zone]")) {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (zone && field.value === field.defaultValue) field.value = zone;
  }
}

function enhance(root) {
  zones(root);
  root.querySelectorAll("form[data-select]").forEach(select);
  if (root.matches?.("form[data-select]")) select(root);
  root.closest?.("form[data-select]")?.dispatchEvent(new Event("change"));
  root.querySelectorAll("[data-js]").forEach((e) => { e.hidden = false; });
  // data-every is seconds between two looks at what no event tells of.
  for (const part of [root, ...root.querySelectorAll("[data-every]")]) {
    if (!part.dataset?.every) continue;
    const timer = setInterval(() => {
      if (!part.isConnected) clearInterval(timer);
      else if (!document.hidden) refresh(part.id);
    }, part.dataset.every * 1000);
  }
  root.querySelectorAll("form[data-auto]").forEach((form) => {
    form.addEventListener("change", (event) => {
      if (!event.target.matches("[type=search], [type=text], [type=number], [data-no-auto]")) form.requestSubmit();
    });
  });
}

// copied puts a text on the clipboard. Browsers offer that on secure addresses only; elsewhere the text is selected.
async function copied(text, from) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    if (!from) return false;
    getSelection().selectAllChildren(from);
    return document.execCommand("copy");
  }
}

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy], [data-copy-from]");
  if (copy) {
    const from = document.getElementById(copy.dataset.copyFrom);
    if (!await copied((copy.dataset.copy || from?.textContent || "").trim(), from)) return;
    const words = copy.textContent;
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = words; }, 1500);
  }
  for (const drop of document.querySelectorAll("details.drop[open]")) {
    if (!drop.contains(event.target)) drop.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const drop of document.querySelectorAll("details.drop[open]")) {
    drop.open = false;
    drop.querySelector("summary").focus();
  }
});

document.addEventListener("submit", (event) => {
  // The enter key in a table must not press its first button.
  if (event.submitter?.name === "nothing") event.preventDefault();
  const question = event.submitter?.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

const unreached = "The server could not be reached; nothing was changed. Try again when the connection is back.";

// A form with data-quiet changes something in place: it is sent in the background, then live parts fetch themselves.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const quiet = event.submitter?.hasAttribute("data-quiet") || form.hasAttribute("data-quiet");
  if (event.defaultPrevented || !quiet) return;
  event.preventDefault();
  if (form.dataset.busy) return; // sent already; a button that is disabled would lose the focus
  form.dataset.busy = "yes";
  const button = event.submitter;
  const body = new URLSearchParams(new FormData(form, button));
  try {
    const address = button?.getAttribute("formaction") || form.getAttribute("action");
    const headers = { "X-Quiet": "1", Accept: "text/html" };
    const answer = await fetch(address, { method: "POST", body, headers }).catch(() => null);
    if (!answer) throw new Error(unreached);
    if (!answer.ok) throw new Error(await answer.text());
    const done = new Set(button?.name === "decision" ? body.getAll("ids") : []); // what was chosen since stays chosen
    document.querySelectorAll("input[type=checkbox][name=ids]:checked").forEach((e) => {
      if (done.has(e.value)) e.checked = false;
    });
    form.querySelectorAll(fields).forEach((e) => written.delete(e)); // it is sent
    fragments().filter((part) => part.dataset.live !== "account").forEach((part) => refresh(part.id));
  } catch (problem) {
    say(problem.message);
  } finally {
    delete form.dataset.busy;
  }
});

// Addresses have no fields that say nothing.
document.addEventListener("formdata", (event) => {
  if (event.target.method !== "get") return;
  for (const name of new Set(event.formData.keys())) {
    if (event.formData.getAll(name).every((value) => value === "")) event.formData.delete(name);
  }
});

// A field with data-narrows hides the lines of a list that do not have its text.
document.addEventListener("input", (event) => {
  const list = document.getElementById(event.target.dataset?.narrows || "");
  if (!list) return;
  const wanted = event.target.value.trim().toLowerCase();
  for (const line of list.children) line.hidden = !line.textContent.toLowerCase().includes(wanted);
});

// A button with data-insert puts its text where somebody typed last in its form; at the end of the text, at first.
let typed = null;
document.addEventListener("focusin", (event) => {
  if (event.target.matches?.("textarea, input:not([type]), input[type=text]")) typed = event.target;
});
document.addEventListener("click", (event) => {
  const insert = event.target.closest("[data-insert]");
  if (!insert) return;
  const form = insert.closest("form");
  let field = typed && form.contains(typed) ? typed : null;
  if (!field) {
    field = form.querySelector("textarea");
    field.selectionStart = field.selectionEnd = field.value.length;
  }
  field.setRangeText(insert.dataset.insert, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});

// Charts: the arrow keys move from point to point; each tells its figures while it has the focus.
document.addEventListener("keydown", (event) => {
  const point = event.target.closest?.("[data-chart] .point");
  const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
  if (!point || !(event.key in steps) && event.key !== "Escape") return;
  event.preventDefault();
  if (event.key === "Escape") { point.blur(); return; }
  const points = [...point.closest("[data-chart]").querySelectorAll(".point")];
  const at = Math.max(0, Math.min(points.length - 1, points.indexOf(point) + steps[event.key]));
  for (const p of points) p.setAttribute("tabindex", "-1");
  points[at].setAttribute("tabindex", "0");
  points[at].focus();
});

function say(text) {
  const place = document.getElementById("said");
  if (!place) return;
  place.hidden = false;
  place.querySelector("div").textContent = text;
  place.scrollIntoView({ block: "nearest" });
}

// Search: a palette over every page. It opens by Ctrl or Cmd and K, by "/", and from the fields that search; as
// somebody types, the server says what it found, and Enter goes to what is marked. Without it, the fields are a form.
const palette = document.getElementById("palette");
const seek = palette && {
  field: document.getElementById("palette-text"),
  list: document.getElementById("palette-list"),
  none: document.getElementById("palette-none"),
  said: document.getElementById("palette-said"),
  timer: 0,
  asking: null, // ends the question that is under way
  shown: null, // the text whose answer is shown
  go: false, // Enter was pressed before the answer came
};

const wanted = () => seek.field.value.trim();
const choices = () => [...seek.list.querySelectorAll("[role=option]")];

function openPalette(text = "") {
  if (palette.open) return;
  seek.field.value = text;
  seek.shown = null;
  palette.showModal();
  seek.field.focus();
  ask();
}

async function ask() {
  clearTimeout(seek.timer);
  seek.asking?.abort();
  const asking = seek.asking = new AbortController();
  const text = wanted();
  if (text === seek.shown) return;
  try {
    const address = `/search?${new URLSearchParams({ q: text, part: "found" })}`;
    const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: asking.signal });
    if (!answer.ok) throw new Error();
    seek.list.innerHTML = await answer.text();
    seek.shown = text;
    mark(choices()[0]);
    seek.none.hidden = choices().length > 0;
    const n = choices().length;
    seek.said.textContent = n === 0 ? "Nothing found" : n === 1 ? "1 result" : `${n} results`;
  } catch {
    if (asking.signal.aborted) return; // another question took its place
    seek.shown = null;
    seek.list.replaceChildren(); // what stands there answers what was typed before
  }
  if (seek.go) follow();
}

// mark makes an option the one that Enter goes to.
function mark(option) {
  for (const e of choices()) e.setAttribute("aria-selected", e === option ? "true" : "false");
  seek.field.setAttribute("aria-expanded", choices().length ? "true" : "false");
  if (option) seek.field.setAttribute("aria-activedescendant", option.id);
  else seek.field.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
}

// follow goes to what is marked; where nothing was found, to the page that looks further.
function follow() {
  seek.go = false;
  const option = seek.list.querySelector("[aria-selected=true]");
  if (option) option.click();
  else seek.field.form.submit();
}

palette?.addEventListener("close", () => { seek.asking?.abort(); seek.go = false; });
palette?.addEventListener("click", (event) => {
  // beside it, on the button, and on what may lead to where somebody is
  if (event.target === palette || event.target.closest("button, [role=option]")) palette.close();
});
seek?.field.addEventListener("input", () => {
  clearTimeout(seek.timer);
  seek.go = false;
  seek.timer = setTimeout(ask, 120);
});
seek?.field.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const all = choices();
  if (step && all.length) {
    event.preventDefault();
    const at = all.findIndex((e) => e.getAttribute("aria-selected") === "true");
    mark(all[(at + step + all.length) % all.length]);
  } else if (event.key === "Escape" && !event.isComposing) {
    event.preventDefault(); // or it would empty the field first
    palette.close();
  }
});
seek?.field.form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (wanted() === seek.shown) return follow();
  seek.go = true; // the answer is on its way
  ask();
});
document.addEventListener("keydown", (event) => {
  if (!palette || event.defaultPrevented || event.isComposing || event.altKey) return;
  const strong = event.ctrlKey || event.metaKey;
  const typed = event.target.closest?.("input:not([type=checkbox], [type=radio]), select, textarea, dialog");
  if (strong && !event.shiftKey && event.key.toLowerCase() === "k" || event.key === "/" && !strong && !typed) {
    event.preventDefault();
    openPalette();
  }
});
if (palette) {
  for (const e of document.querySelectorAll("[data-seek]")) {
    e.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey) return; // a new tab was asked for
      event.preventDefault();
      openPalette(e.value);
    });
    e.addEventListener("input", () => { openPalette(e.value); e.value = ""; });
  }
}

enhance(document);
listen();
if (document.body.classList.contains("held-back")) heldLook = setTimeout(askHeld, 2000);
