/** Name, tags and notes of a run, edited beneath its row; nothing is shown as saved before the server says so. */
import { getJson } from "./api.js";
import { byId, toast } from "./dom.js";
import { WordField, save, takenByTags } from "./run-words.js";
import { table } from "./runs-table.js";

/** @typedef {import("./run-words.js").Words} Words */

/** @type {((id: string) => void) | null} */
let whenDone = null;

/** @param {(id: string) => void} done called when an editor closes, with the run's id */
export function attachEditor(done) {
  whenDone = done;
  table().addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button[data-edit]") : null;
    const row = button?.closest("tr");
    if (row) edit(row, /** @type {HTMLElement} */ (button).dataset.edit ?? "name");
  });
  table().addEventListener("dblclick", (event) => {
    const row = event.target instanceof Element ? event.target.closest("tr") : null;
    if (row?.dataset.id && event.target instanceof Element && event.target.closest(".name")) edit(row, "name");
  });
}

/**
 * @param {HTMLTableRowElement} row
 * @param {string} field the one to begin with
 */
export async function edit(row, field) {
  if (table().querySelector("tr.editor")) return focusOn(table(), field);
  const id = row.dataset.id ?? "";
  try {
    /** @type {Words} */
    const words = await getJson(`/runs/${id}`);
    if (row.isConnected && !table().querySelector("tr.editor")) open(row, id, words, field);
  } catch (error) {
    toast(/** @type {Error} */ (error).message, "error");
  }
}

/**
 * @param {HTMLTableRowElement} row
 * @param {string} id
 * @param {Words} words
 * @param {string} first
 */
function open(row, id, words, first) {
  const line = document.createElement("tr");
  line.className = "editor";
  const cell = line.insertCell();
  cell.colSpan = row.cells.length;
  cell.append(document.importNode(byId("editor", HTMLTemplateElement).content, true));
  const form = /** @type {HTMLFormElement} */ (cell.querySelector("form"));
  const parts = /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-path]"));
  const fields = [...parts].map((part) => new WordField(part, words));

  const close = () => {
    line.remove();
    row.focus({ preventScroll: true });
    whenDone?.(id);
  };
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    else if (fields.some((field) => takenByTags(field, event))) event.preventDefault();
    else if (event.key === "Enter" && event.target instanceof HTMLTextAreaElement && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    event.stopPropagation();
  });
  form.querySelector("[data-close]")?.addEventListener("click", close);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await save(id, words, fields)) close();
  });
  row.after(line);
  focusOn(form, first);
}

/**
 * @param {Element} within
 * @param {string} field
 */
function focusOn(within, field) {
  const found = within.querySelector(`[data-path="${field}"] input, [data-path="${field}"] textarea`);
  if (found instanceof HTMLElement) found.focus();
}
