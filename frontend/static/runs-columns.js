/** The columns: chosen in a dialog that the server writes, moved and hidden from their headings. */
import { byId, make, toast } from "./dom.js";
import { table } from "./runs-table.js";

/** @typedef {(change: (query: URLSearchParams) => void) => void} Go leads to the address with a changed query */

const BUTTONS = [
  ["-1", "↑", "further left"],
  ["1", "↓", "further right"],
  ["0", "×", "hide"],
];

/** The keys of the columns now shown, in order. */
export function shownKeys() {
  return (table().dataset.columns ?? "").split("\n").filter(Boolean);
}

/**
 * @param {URLSearchParams} query
 * @param {string[]} keys
 */
export function setColumns(query, keys) {
  query.delete("c");
  // A table of nothing but names says so: no column at all would mean the usual ones.
  for (const key of keys.length ? keys : ["name"]) query.append("c", key);
}

/**
 * Fetch the dialog's inside, and the names that filters can take.
 * @returns {Promise<boolean>} whether it could be had
 */
export async function loadChoices() {
  try {
    const response = await fetch(`/columns${location.search}`, { headers: { Accept: "text/html" } });
    if (!response.ok) throw new Error(`The server answered ${response.status}.`);
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    const form = /** @type {HTMLFormElement} */ (fresh.querySelector("form"));
    byId("columns-dialog", HTMLDialogElement).replaceChildren(document.importNode(form, true));
    const keys = [...fresh.querySelectorAll("datalist option")].map((option) => document.importNode(option, true));
    byId("column-keys", HTMLDataListElement).replaceChildren(...keys);
    return true;
  } catch (error) {
    toast(error instanceof TypeError ? "The server does not answer; is it still running?" : String(error), "error");
    return false;
  }
}

/** @param {Go} go */
export function attachColumns(go) {
  const dialog = byId("columns-dialog", HTMLDialogElement);
  byId("choose-columns", HTMLButtonElement).addEventListener("click", async () => {
    if (!(await loadChoices())) return;
    dialog.showModal();
    byId("columns-search", HTMLInputElement).focus();
  });
  dialog.addEventListener("input", (event) => {
    const { target } = event;
    if (!(target instanceof HTMLInputElement)) return;
    if (target.id === "columns-search") find(target.value);
    else if (target.checked) byId("columns-shown", HTMLElement).append(item(target.value, target.dataset.label ?? ""));
    else listed(target.value)?.remove();
  });
  dialog.addEventListener("keydown", (event) => {
    // Enter in the search takes the only one found, and does not close.
    if (event.key !== "Enter" || !(event.target instanceof HTMLInputElement) || event.target.id !== "columns-search") return;
    event.preventDefault();
    const found = [...dialog.querySelectorAll("#columns-all li:not([hidden]) input")];
    if (found.length === 1) /** @type {HTMLInputElement} */ (found[0]).click();
  });
  dialog.addEventListener("click", (event) => {
    if (!(event.target instanceof HTMLElement)) return;
    if (event.target.dataset.move) moveItem(event.target);
    if ("close" in event.target.dataset) dialog.close();
    if (event.target.id === "columns-usual") {
      dialog.close();
      go((query) => query.delete("c"));
    }
  });
  dialog.addEventListener("submit", () => {
    const items = [...byId("columns-shown", HTMLElement).querySelectorAll("li")];
    go((query) => setColumns(query, items.map((one) => one.dataset.key ?? "")));
  });
}

/** @param {string} key */
function listed(key) {
  return [...byId("columns-shown", HTMLElement).querySelectorAll("li")].find((one) => one.dataset.key === key);
}

/**
 * @param {string} key
 * @param {string} label
 */
function item(key, label) {
  const line = make("li");
  line.dataset.key = key;
  line.append(make("span", label));
  for (const [step, sign, word] of BUTTONS) {
    const button = make("button", sign, "row-mark");
    button.setAttribute("type", "button");
    button.setAttribute("aria-label", `${label} ${word}`);
    button.dataset.move = step;
    line.append(button);
  }
  return line;
}

/** @param {HTMLElement} button */
function moveItem(button) {
  const line = /** @type {HTMLElement} */ (button.closest("li"));
  if (button.dataset.move === "-1") line.previousElementSibling?.before(line);
  else if (button.dataset.move === "1") line.nextElementSibling?.after(line);
  else {
    for (const box of byId("columns-all", HTMLElement).querySelectorAll("input")) if (box.value === line.dataset.key) box.checked = false;
    line.remove();
  }
  button.focus();
}

/** @param {string} text */
function find(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let some = false;
  for (const line of byId("columns-all", HTMLElement).querySelectorAll("li")) {
    if (line.id === "columns-none") continue;
    const { words: own } = line.dataset;
    // Headings of families are in the way of a search.
    line.hidden = own === undefined ? words.length > 0 : !words.every((word) => own.includes(word));
    some ||= !line.hidden;
  }
  byId("columns-none", HTMLElement).hidden = some;
}
