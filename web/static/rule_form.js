// The list of fields under an input of a condition: typing narrows it, arrows and Enter choose. Without this script a
// plain list of the browser takes its place.
"use strict";

(() => {
  const list = document.getElementById("field-list");
  if (!list) return;
  const options = [...list.querySelectorAll("[role=option]")];
  let input = null;
  let active = -1;

  const visible = () => options.filter((option) => !option.hidden);

  function mark(index) {
    const shown = visible();
    active = shown.length ? Math.max(0, Math.min(index, shown.length - 1)) : -1;
    for (const option of options) option.setAttribute("aria-selected", String(option === shown[active]));
    if (active < 0 || !input) { input?.removeAttribute("aria-activedescendant"); return; }
    input.setAttribute("aria-activedescendant", shown[active].id);
    shown[active].scrollIntoView({ block: "nearest" });
  }

  function narrow() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const option of options) {
      const text = option.textContent.toLowerCase();
      option.hidden = !words.every((word) => text.includes(word));
    }
    for (const group of list.querySelectorAll("[role=group]")) group.hidden = !group.querySelector("[role=option]:not([hidden])");
    list.querySelector(".picker-none").hidden = visible().length > 0;
    mark(-1);
    active = -1;
    for (const option of options) option.setAttribute("aria-selected", "false");
  }

  // The first whose name itself is meant, before those whose explanation only has the word.
  function likeliest(shown) {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    return Math.max(0, shown.findIndex((option) => words.every((word) => option.dataset.value.toLowerCase().includes(word))));
  }

  function open(from) {
    input = from;
    input.setAttribute("aria-expanded", "true");
    list.hidden = false;
    const box = input.getBoundingClientRect();
    list.style.left = `${box.left + scrollX}px`;
    list.style.top = `${box.bottom + scrollY + 4}px`;
    narrow();
  }

  function close() {
    if (!input) return;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    input = null;
    list.hidden = true;
  }

  function choose(option) {
    const chosen = input;
    chosen.value = option.dataset.value;
    close();
    chosen.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function prepare() { // an input that was put in by htmx too
    for (const field of document.querySelectorAll("input[data-picker][list]")) {
      field.removeAttribute("list");
      field.setAttribute("role", "combobox");
      field.setAttribute("aria-autocomplete", "list");
      field.setAttribute("aria-expanded", "false");
      field.setAttribute("aria-controls", list.id);
    }
  }

  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.("input[data-picker]")) { if (!event.target.value) open(event.target); } else if (!list.contains(event.target)) close();
  });
  document.addEventListener("input", (event) => {
    if (!event.target.matches?.("input[data-picker]")) return;
    if (input === event.target) narrow(); else open(event.target);
  });
  document.addEventListener("click", (event) => {
    if (event.target.matches?.("input[data-picker]") && !input) open(event.target);
  });
  list.addEventListener("mousedown", (event) => {
    event.preventDefault(); // the input keeps the focus
    const option = event.target.closest("[role=option]");
    if (option) choose(option);
  });
  document.addEventListener("keydown", (event) => {
    if (!input || event.target !== input) {
      if (event.key === "ArrowDown" && event.target.matches?.("input[data-picker]")) { open(event.target); event.preventDefault(); }
      return;
    }
    const shown = visible();
    if (event.key === "ArrowDown") { mark(active < 0 ? likeliest(shown) : active + 1); event.preventDefault(); }
    else if (event.key === "ArrowUp") { mark(active - 1); event.preventDefault(); }
    else if (event.key === "Escape") { close(); event.preventDefault(); event.stopPropagation(); }
    else if (event.key === "Tab") close();
    else if (event.key === "Enter") {
      event.preventDefault();
      const option = shown[active] ?? shown.find((one) => one.dataset.value.toLowerCase() === input.value.toLowerCase()) ?? (shown.length === 1 ? shown[0] : null);
      if (option) choose(option); else { const typed = input; close(); typed.dispatchEvent(new Event("change", { bubbles: true })); }
    }
  }, true);
  // What was typed while an answer was on its way stands in the form that the answer brings.
  let sent = null;
  let typed = null;
  const current = () => (document.activeElement?.matches?.(".rule-form input[id]") ? { id: document.activeElement.id, value: document.activeElement.value } : null);
  document.addEventListener("htmx:beforeRequest", () => { sent = current(); });
  document.addEventListener("htmx:beforeSwap", () => {
    const now = current();
    typed = now && (now.id !== sent?.id ? now.value !== "" : now.value !== sent.value) ? now : null;
  });
  document.addEventListener("htmx:afterSettle", () => {
    const again = typed && document.getElementById(typed.id);
    if (again?.matches("input")) again.value = typed.value;
    typed = null;
  });
  document.addEventListener("htmx:afterSettle", prepare);
  document.addEventListener("htmx:beforeSwap", (event) => { if (input && event.detail.target.contains(input)) close(); });
  prepare();
})();
