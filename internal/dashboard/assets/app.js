// Pages work without this file. With it, parts of a page follow what happens on the server, tables remember a
// selection, and what a button did shows without a reload.
"use strict";

// Parts with data-live fetch themselves anew when an event names them. data-live holds words: "orders" (any order),
// "cmp_1" or "ord_1" (that campaign or order), "deliveries". data-src is the address of the part; the page's own
// when empty.
const fragments = () => [...document.querySelectorAll("[data-live]")];

function matches(part, words) {
  return part.dataset.live.split(" ").some((word) => words.has(word));
}

const pending = new Map(); // part id → timer, so that a burst of events is one request
const loading = new Set();
let took = 0; // milliseconds that the last part needed: a server that is busy is asked less often

function schedule(part) {
  if (!part.id || pending.has(part.id)) return;
  const rest = Math.min(Math.max(120, took * 3), 5000);
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
    const answer = await fetch(address, { headers: { Accept: "text/html" }, redirect: "error" });
    const text = await answer.text();
    took = performance.now() - began;
    if (answer.ok) mark(answer);
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

// replace puts new markup in a part's place: what is chosen stays chosen, what has focus keeps it, what changed
// lights up.
function replace(part, text) {
  const box = document.createElement("template");
  box.innerHTML = text;
  const fresh = box.content.getElementById(part.id);
  if (!fresh) return;
  const before = new Map([...part.querySelectorAll("[data-key]")].map((e) => [e.dataset.key, e.textContent]));
  const chosen = new Set([...part.querySelectorAll("input[type=checkbox][name=ids]:checked")].map((e) => e.value));
  const open = new Set([...part.querySelectorAll("details[id][open]")].map((e) => e.id));
  const active = part.contains(document.activeElement) ? document.activeElement : null;
  const focus = active?.id || active?.dataset.focus || "";
  const scroll = [...part.querySelectorAll(".table-wrap")].map((e) => [e.scrollLeft, e.scrollTop]);
  part.replaceWith(fresh);
  for (const e of fresh.querySelectorAll("[data-key]")) {
    if (before.get(e.dataset.key) !== e.textContent) e.classList.add("changed");
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

// Live events. The browser reconnects by itself; whatever was missed is fetched when the connection is back. Where the
// server refuses the events, since too many pages are open, the page says so, asks again more and more seldom, and
// fetches its parts whenever it asks.
let refusals = 0; // one after the other
const calm = 5000, calmest = 60000;

function listen() {
  const band = document.getElementById("offline");
  if (!band || !window.EventSource || !fragments().length) return;
  const words = new Set(fragments().flatMap((part) => part.dataset.live.split(" ")));
  const query = new URLSearchParams({ since: document.body.dataset.since, words: [...words].join(" ") });
  const source = new EventSource(`/live?${query}`);
  let lost = refusals ? -1 : 0;
  source.onopen = () => {
    if (lost) fragments().forEach(schedule);
    clearTimeout(lost);
    lost = refusals = 0;
    band.hidden = true;
    document.documentElement.dataset.connected = "yes";
  };
  source.onerror = () => {
    document.documentElement.dataset.connected = "no";
    if (!lost) lost = setTimeout(() => { band.hidden = false; }, 1500);
    const refused = source.readyState === EventSource.CLOSED;
    band.querySelector("[data-lost]").hidden = refused;
    band.querySelector("[data-refused]").hidden = !refused;
    if (!refused) return;
    const rest = Math.min(calm * 2 ** refusals++, calmest) * (1 + Math.random() / 2);
    setTimeout(() => { if (refusals > 1) fragments().forEach(schedule); listen(); }, rest);
  };
  source.addEventListener("changed", (event) => {
    const changed = new Set(event.data.split(" "));
    fragments().filter((part) => matches(part, changed)).forEach(schedule);
  });
  // Something changed between this page and the events.
  source.addEventListener("missed", () => fragments().forEach(schedule));
  addEventListener("pagehide", () => source.close());
}

// Figures that are computed anew are marked as those from before the change, until all are done. Each part says how far
// that is; a page that shows some asks now and then, and fetches its parts when they are done.
let look = 0;

function mark(answer) {
  const band = document.getElementById("held");
  if (!band) return;
  const percent = answer.headers.get("X-Recalculation");
  document.body.classList.toggle("held-back", percent !== null);
  band.hidden = percent === null;
  band.querySelector("[data-percent]").textContent = percent ?? "";
  clearTimeout(look);
  look = percent === null ? 0 : setTimeout(ask, 2000);
}

async function ask() {
  try {
    const answer = document.hidden ? null : await fetch("/recalculation", { redirect: "error" });
    if (!answer?.ok) look = setTimeout(ask, 2000);
    else if (answer.headers.has("X-Recalculation")) mark(answer);
    else fragments().length ? fragments().forEach(schedule) : mark(answer);
  } catch {
    look = setTimeout(ask, 5000); // the connection is gone
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
    const chosen = rows().filter((e) => e.checked);
    const n = chosen.length;
    bar.hidden = n === 0;
    const words = bar.querySelector("[data-count]");
    if (words) words.textContent = `${numberText(n)} selected`;
    for (const e of bar.querySelectorAll("[data-sum]")) {
      const text = sums(chosen, e.dataset.sum);
      e.textContent = [text, e.dataset.words].filter(Boolean).join(" ");
      e.hidden = !text;
    }
    const all = form.querySelector("input[data-all]");
    if (all) { all.checked = n > 0 && n === rows().length; all.indeterminate = n > 0 && n < rows().length; }
  };
  form.addEventListener("change", (event) => {
    if (event.target.matches("input[data-all]")) rows().forEach((e) => { e.checked = event.target.checked; });
    show();
  });
  show();
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

function enhance(root) {
  root.querySelectorAll("form[data-select]").forEach(select);
  if (root.matches?.("form[data-select]")) select(root);
  root.closest?.("form[data-select]")?.dispatchEvent(new Event("change"));
  root.querySelectorAll("[data-js]").forEach((e) => { e.hidden = false; });
  // data-every is seconds between two looks at what no event tells of.
  for (const part of [root, ...root.querySelectorAll("[data-every]")]) {
    if (!part.dataset?.every) continue;
    const timer = setInterval(() => {
      if (part.isConnected) refresh(part.id);
      else clearInterval(timer);
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
    const answer = await fetch(address, { method: "POST", body, headers });
    if (!answer.ok) throw new Error(await answer.text());
    const done = new Set(button?.name === "decision" ? body.getAll("ids") : []); // what was chosen since stays chosen
    document.querySelectorAll("input[type=checkbox][name=ids]:checked").forEach((e) => {
      if (done.has(e.value)) e.checked = false;
    });
    form.querySelectorAll(fields).forEach((e) => written.delete(e)); // it is sent
    fragments().forEach((part) => refresh(part.id));
  } catch (problem) {
    say(problem.message || "The server could not be reached.");
  } finally {
    delete form.dataset.busy;
  }
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

enhance(document);
listen();
if (document.body.classList.contains("held-back")) look = setTimeout(ask, 2000);
