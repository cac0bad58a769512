// What the pages do in the browser beside htmx: keys, copying, folding, the panel. Every page reads without it.
"use strict";

const root = document.documentElement;
const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

function say(text) {
  const place = one("#say");
  place.textContent = "";
  window.setTimeout(() => { place.textContent = text; }, 60);
}

// ---- addresses: language and theme are remembered by the server, a shared link should not carry them ----
function cleanAddress() {
  const address = new URL(location.href);
  if (!address.searchParams.has("lang") && !address.searchParams.has("theme")) return;
  address.searchParams.delete("lang");
  address.searchParams.delete("theme");
  history.replaceState(history.state, "", address);
}

/* Back or forward was pressed before htmx listened: the address is another one's than what was read. */
function readWhatIsAsked() {
  const [read, asked] = [performance.getEntriesByType("navigation")[0]?.name ?? location.href, location.href].map((url) => url.split("#")[0]);
  if (read === asked) cleanAddress(); else location.reload();
}

// ---- the navigation folds to icons with names ----
function foldRail(narrow) {
  if (narrow) root.dataset.rail = "narrow"; else delete root.dataset.rail;
  one("[data-fold-rail]").setAttribute("aria-expanded", String(!narrow));
  try { localStorage.setItem("treegarth-rail", narrow ? "narrow" : "wide"); } catch { /* forgotten at the next page */ }
  window.dispatchEvent(new Event("resize"));
}

// ---- copying ----
async function copy(button) {
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch { // not a secure context: plain HTTP from another machine
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.classList.add("done");
  window.setTimeout(() => button.classList.remove("done"), 1200);
  say(one("#say").dataset.copied);
}

// ---- rows: a click or Enter opens what the row's link opens ----
const rows = () => all("tr[data-row]");
const linkOf = (row) => one("a[data-open]", row);

function openRow(row) {
  const link = linkOf(row);
  if (row.classList.contains("open") && row.dataset.page) location.assign(row.dataset.page);
  else if (link) link.click();
}

function moveRow(step) {
  const list = rows();
  if (!list.length) return;
  const at = list.indexOf(document.activeElement?.closest?.("tr[data-row]"));
  const open = list.findIndex((row) => row.classList.contains("open"));
  const from = at >= 0 ? at : open;
  const next = list[Math.min(list.length - 1, Math.max(0, from < 0 ? 0 : from + step))];
  const panelIsOpen = Boolean(one("[data-close-panel]"));
  linkOf(next)?.focus();
  next.scrollIntoView({ block: "nearest" });
  if (panelIsOpen && !next.classList.contains("open")) linkOf(next)?.click();
}

function markOpenRow() {
  const open = one("[data-panel-of]")?.dataset.panelOf;
  for (const row of rows()) row.classList.toggle("open", row.dataset.row === open && open !== undefined);
}

// ---- rows that are chosen ----
const boxes = () => all("input[name=chosen]");

function countChosen() {
  const place = one("[data-chosen]");
  if (!place) return;
  const chosen = boxes().filter((box) => box.checked).length;
  place.textContent = String(chosen);
  const every = one("[data-choose-all]");
  every.checked = chosen > 0 && chosen === boxes().length;
  every.indeterminate = chosen > 0 && !every.checked;
  every.closest("[data-scripted]").hidden = false;
}

function onChosen({ target }) {
  if (target.matches?.("[data-choose-all]")) for (const box of boxes()) box.checked = target.checked;
  if (target.matches?.("[data-choose-all], input[name=chosen]")) countChosen();
}

/* One form has the inputs of all actions: only those of the button that was pressed are needed. */
function onAct(event) {
  const button = event.target.closest?.("#chosen button[name=action]");
  const empty = button && one("input[data-needed]", button.closest(".act"));
  if (!empty || empty.value.trim()) return;
  event.preventDefault();
  empty.required = true;
  empty.reportValidity();
  empty.required = false;
}

// ---- keys ----
let waitingForPlace = false;

function isTyping(target) {
  return target.closest?.("input:not([type=checkbox]), select, textarea, [contenteditable]") !== null;
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") return escape(event);
  if (isTyping(event.target) || one("dialog[open]")) return;
  if (waitingForPlace) {
    waitingForPlace = false;
    all(".rail [data-key]").find((link) => link.dataset.key === event.key)?.click();
    return;
  }
  const acts = {
    "/": () => { event.preventDefault(); one("#find").focus(); one("#find").select(); },
    "?": () => { event.preventDefault(); one("#keys").showModal(); },
    j: () => moveRow(1),
    k: () => moveRow(-1),
    x: () => one("input[name=chosen]", event.target.closest?.("tr") ?? document.createElement("tr"))?.click(),
    v: () => one("[data-viewer]")?.click(),
    g: () => { waitingForPlace = true; window.setTimeout(() => { waitingForPlace = false; }, 1200); },
    Enter: () => {
      const row = event.target.closest?.("tr[data-row]");
      if (row && event.target === linkOf(row)) { event.preventDefault(); openRow(row); }
    },
  };
  acts[event.key]?.();
}

function escape(event) {
  if (one("dialog[open]")) return;
  if (event.target.id === "find") { event.target.blur(); return; }
  const close = one("[data-close-panel]");
  if (!close) return;
  const of = one("[data-panel-of]")?.dataset.panelOf;
  close.click();
  linkOf(rows().find((row) => row.dataset.row === of) ?? document.createElement("tr"))?.focus();
}

function onClick(event) {
  const target = event.target;
  const button = target.closest("[data-copy]");
  if (button) { copy(button); return; }
  if (target.closest("[data-fold-rail]")) { foldRail(root.dataset.rail !== "narrow"); return; }
  if (target.closest("[data-help]")) { event.preventDefault(); one("#keys").showModal(); return; }
  if (target.closest("[data-close-dialog]") || target === one("dialog[open]")) { target.closest("dialog").close(); return; }
  const day = target.closest("[data-pick-day]");
  if (day) { event.preventDefault(); pickDay(day); return; }
  const row = target.closest("tr[data-row]");
  if (row && !target.closest("a, button, input, label") && !String(getSelection())) openRow(row);
}

// ---- a file becomes text of a form: Orthanc keeps multipart/form-data to itself ----
async function fill(input) {
  const [file] = input.files;
  if (!file) return;
  document.getElementById(input.dataset.fills).value = textOf(await file.arrayBuffer());
  if (input.dataset.names) document.getElementById(input.dataset.names).value = file.name;
}

function textOf(content) { // UTF-8 or UTF-16 by its mark, else UTF-8, else CP949, as Excel in Korean writes it
  const [first, second] = new Uint8Array(content.slice(0, 2));
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(content);
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(content);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    return new TextDecoder("euc-kr").decode(content);
  }
}

// ---- days: written in ISO form, or chosen in the browser's own calendar ----
const DAY = /^\s*([0-9]{4})[-./ ]?([0-9]{1,2})[-./ ]?([0-9]{1,2})\.?\s*$/;

function writeDay(input) {
  const found = DAY.exec(input.value);
  if (found) input.value = [found[1], ...found.slice(2).map((part) => part.padStart(2, "0"))].join("-");
}

function pickDay(button) {
  const input = document.getElementById(button.dataset.pickDay);
  const calendar = document.createElement("input");
  calendar.type = "date";
  calendar.className = "picked";
  calendar.tabIndex = -1;
  calendar.setAttribute("aria-hidden", "true");
  calendar.value = input.value;
  calendar.addEventListener("change", (event) => {
    event.stopPropagation(); // the form asks once, for the day that was written
    if (!calendar.value) return;
    input.value = calendar.value;
    calendar.remove();
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  one(".picked", button.parentElement)?.remove();
  button.before(calendar);
  calendar.showPicker();
}

function offerCalendars(within) {
  if (!("showPicker" in HTMLInputElement.prototype)) return;
  for (const button of all("[data-pick-day]", within)) button.hidden = false;
}

// ---- what a printed page says of itself: where it is from, and when it was printed ----
function onPrint() {
  one("[data-address]").textContent = location.href;
  const now = new Date();
  const here = new Date(now.getTime() - now.getTimezoneOffset() * 60000).toISOString();
  one("[data-printed]").textContent = `${here.slice(0, 10)} ${here.slice(11, 16)}`;
}

// ---- pictures that Orthanc cannot render become an icon ----
function onPictureError(event) {
  if (!event.target.matches?.(".thumb img")) return;
  const thumb = event.target.closest(".thumb");
  event.target.remove();
  one("svg", thumb)?.removeAttribute("hidden");
}

// ---- parts that renew themselves: each alone, where it has changed, and not while somebody is in it ----
const seen = new Map();

function remember(part, html = part.innerHTML) { seen.set(part.id, html); }

function isInUse(part) {
  const selection = getSelection();
  const isSelected = selection.rangeCount > 0 && !selection.isCollapsed && selection.containsNode(part, true);
  return isSelected || part.contains(document.activeElement) || one("[data-panel-of], details[open], input[name=chosen]:checked", part) !== null;
}

function renew(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const part of all("[data-live]")) {
    const now = one(`#${part.id}`, fresh);
    if (!now) { location.reload(); return; } // the first study has arrived: the page is another one
    if (now.innerHTML === seen.get(part.id) || isInUse(part)) continue;
    const places = all(".scroll, .as-table", part).map((place) => [place.scrollLeft, place.scrollTop]);
    remember(part, now.innerHTML);
    htmx.swap(part, now.outerHTML, { swapStyle: "outerHTML", swapDelay: 0, settleDelay: 0 });
    all(".scroll, .as-table", one(`#${part.id}`)).forEach((place, at) => place.scrollTo(...(places[at] ?? [0, 0])));
  }
}

function onRenewal(event) {
  const { elt, xhr } = event.detail;
  if (!elt.hasAttribute("data-renew")) return;
  event.detail.shouldSwap = false;
  // Another list may stand here meanwhile, or be asked for: that answer needs the place that it was asked for.
  if (xhr.status === 200 && elt.isConnected && !one("#progress.htmx-request")) renew(xhr.responseText);
}

/* Another page of a list, another order or filter: it is read from its top. What renews itself leaves the reader alone. */
function onTop({ target, detail }) {
  if (target.id === "list" && detail.requestConfig?.verb === "get") window.scrollTo(0, 0);
}

function onSwapped(event) {
  offerCalendars(document);
  onTop(event);
  markOpenRow();
  countChosen();
  const counted = one("[data-announce]", event.target) ?? event.target.closest?.("[data-announce]");
  const text = counted?.dataset.announce;
  if (text && text !== onSwapped.last) { onSwapped.last = text; say(text); }
}

// ---- what is typed while an answer is on its way stays: the answer knows only what was sent ----
const sent = new WeakMap();
const typed = new WeakMap();
const isTicked = (field) => field.type === "checkbox" || field.type === "radio";
const valueOf = (field) => (isTicked(field) ? field.checked : field.value);
const keepsWhatIsTyped = (field) => field.name && !["hidden", "file"].includes(field.type);
const fieldsOf = (form) => all("input[id], select[id], textarea[id]", form).filter(keepsWhatIsTyped);

function onSent(event) {
  const form = event.detail.target.closest?.("form");
  if (form) sent.set(event.detail.xhr, new Map(fieldsOf(form).map((field) => [field, valueOf(field)])));
}

function onAnswer(event) {
  const before = [...(sent.get(event.detail.xhr) ?? [])];
  const later = before.filter(([field, value]) => field.isConnected && valueOf(field) !== value);
  typed.set(event.detail.xhr, later.map(([field]) => [field.id, field.name, valueOf(field)]));
}

function onAnswered(event) {
  for (const [id, name, value] of typed.get(event.detail.xhr) ?? []) {
    const field = document.getElementById(id);
    if (field?.name !== name || valueOf(field) === value) continue;
    if (isTicked(field)) field.checked = value; else field.value = value;
  }
}

window.addEventListener("beforeprint", onPrint);
document.addEventListener("htmx:beforeSend", onSent);
document.addEventListener("htmx:beforeSwap", onAnswer);
document.addEventListener("htmx:afterSwap", onAnswered);
document.addEventListener("keydown", onKey);
document.addEventListener("click", onClick);
document.addEventListener("change", onChosen);
document.addEventListener("change", (event) => { if (event.target.matches?.("[data-day]")) writeDay(event.target); }, true);
document.addEventListener("click", onAct);
document.addEventListener("change", (event) => { if (event.target.matches?.("[data-fills]")) fill(event.target); });
for (const input of document.querySelectorAll("[data-fills]")) input.closest("[hidden]").hidden = false;
document.addEventListener("error", onPictureError, true);
document.addEventListener("htmx:beforeSwap", onRenewal);
document.addEventListener("htmx:afterSettle", onSwapped);
document.addEventListener("htmx:configRequest", (event) => { // an empty filter does not belong into the address
  if (event.detail.verb !== "get") return;
  for (const [name, value] of [...event.detail.formData.entries()]) if (value === "") event.detail.formData.delete(name);
});
document.addEventListener("htmx:beforeRequest", (event) => { // nobody looks: the server need not be asked again and again
  if (document.hidden && event.detail.elt.getAttribute("hx-trigger")?.startsWith("every")) event.preventDefault();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  // A page of an error is a page too: show it where the answer was wanted, as a whole.
  if (event.detail.xhr.status >= 400 && !event.detail.target.hasAttribute("data-poll")) location.assign(event.detail.pathInfo.finalRequestPath);
});
document.addEventListener("DOMContentLoaded", readWhatIsAsked); // htmx listens from then on
offerCalendars(document);
all("[data-live]").forEach((part) => remember(part));
markOpenRow();
countChosen();
onSwapped.last = one("[data-announce]")?.dataset.announce;
one("[data-fold-rail]")?.setAttribute("aria-expanded", String(root.dataset.rail !== "narrow"));
