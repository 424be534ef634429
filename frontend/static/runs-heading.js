/** The menu of a column's heading, and the dialog that adds a filter. */
import { ApiError, getJson } from "./api.js";
import { byId } from "./dom.js";
import { loadChoices, setColumns, shownKeys } from "./runs-columns.js";
import { table } from "./runs-table.js";

/** @typedef {import("./runs-columns.js").Go} Go */

/** @param {Go} go */
export function attachHeading(go) {
  const menu = byId("column-menu", HTMLElement);
  let key = "";
  table().addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-column-menu]") : null;
    if (!(button instanceof HTMLElement)) return;
    key = button.closest("th")?.dataset.key ?? "";
    for (const one of menu.querySelectorAll("button")) one.hidden = !offers(one.dataset.do ?? "", key);
    menu.showPopover();
    const { left, bottom } = button.getBoundingClientRect();
    menu.style.left = `${Math.max(4, Math.min(left, innerWidth - menu.offsetWidth - 4))}px`;
    menu.style.top = `${bottom + 4}px`;
    menu.querySelector("button")?.focus();
  });
  menu.addEventListener("click", (event) => {
    const wanted = event.target instanceof HTMLElement ? event.target.dataset.do : undefined;
    if (!wanted) return;
    menu.hidePopover();
    if (wanted === "filter") openFilter(key);
    else go((query) => change(query, wanted, key));
  });
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const shown = [...menu.querySelectorAll("button")].filter((one) => !one.hidden);
    const at = shown.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    shown[(at + step + shown.length) % shown.length].focus();
  });
  attachFilter(go);
}

/**
 * Whether a column can be so moved, hidden or grouped by.
 * @param {string} what
 * @param {string} key
 */
function offers(what, key) {
  const keys = shownKeys();
  const at = keys.indexOf(key);
  if (what === "left") return at > 0;
  if (what === "right") return at >= 0 && at < keys.length - 1;
  return what !== "hide" || at >= 0;
}

/**
 * @param {URLSearchParams} query
 * @param {string} what
 * @param {string} key
 */
function change(query, what, key) {
  const keys = shownKeys();
  const at = keys.indexOf(key);
  if (what === "up") query.set("sort", key);
  else if (what === "down") query.set("sort", `-${key}`);
  else if (what === "group") query.set("by", key);
  else {
    keys.splice(at, 1);
    if (what !== "hide") keys.splice(what === "left" ? at - 1 : at + 1, 0, key);
    setColumns(query, keys);
  }
}

/**
 * Open the dialog for a filter, perhaps on a column.
 * @param {string} key
 */
async function openFilter(key) {
  await loadChoices();
  const [column, value] = [byId("filter-column", HTMLInputElement), byId("filter-value", HTMLInputElement)];
  column.value = key;
  value.value = "";
  showUnit();
  say("");
  byId("filter-dialog", HTMLDialogElement).showModal();
  (key ? value : column).focus();
}

/** @param {string} text */
function say(text) {
  const line = byId("filter-error", HTMLElement);
  line.hidden = !text;
  line.textContent = text;
}

/** Show what a bare number is meant in, beside where it is typed. */
function showUnit() {
  const key = keyOf(byId("filter-column", HTMLInputElement).value.trim());
  const option = [...byId("column-keys", HTMLDataListElement).options].find((one) => one.value === key);
  byId("filter-unit", HTMLElement).textContent = option?.dataset.unit ?? "";
}

/** @param {Go} go */
function attachFilter(go) {
  const dialog = byId("filter-dialog", HTMLDialogElement);
  byId("add-filter", HTMLButtonElement).addEventListener("click", () => openFilter(""));
  byId("filter-column", HTMLInputElement).addEventListener("input", showUnit);
  dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close());
  byId("filter-form", HTMLFormElement).addEventListener("submit", async (event) => {
    event.preventDefault();
    const column = keyOf(byId("filter-column", HTMLInputElement).value.trim());
    const text = `${column}${byId("filter-operator", HTMLSelectElement).value}${byId("filter-value", HTMLInputElement).value.trim()}`;
    try {
      if (!column) throw new ApiError("Name a column first.", 422, []);
      await getJson(`/runs?limit=1&f=${encodeURIComponent(text)}`);
      dialog.close();
      go((query) => query.append("f", text));
    } catch (error) {
      say(/** @type {Error} */ (error).message);
    }
  });
}

/**
 * Return the key of what a person calls a column: its key, or its label.
 * @param {string} word
 */
function keyOf(word) {
  const options = [...byId("column-keys", HTMLDataListElement).options];
  const same = (/** @type {string} */ one) => one.toLowerCase() === word.toLowerCase();
  return (options.find((one) => one.value === word) ?? options.find((one) => same(one.value) || same(one.label)))?.value ?? word;
}
