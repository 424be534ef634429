/** Name, tags and notes of a run, edited beneath its row; nothing is shown as saved before the server says so. */
import { ApiError, getJson, send } from "./api.js";
import { byId, make, toast } from "./dom.js";
import { table } from "./runs-table.js";

/** @typedef {{name: string, tags: string[], notes: string}} Words */

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
 * @param {string} field
 */
function open(row, id, words, field) {
  const line = document.createElement("tr");
  line.className = "editor";
  const cell = line.insertCell();
  cell.colSpan = row.cells.length;
  cell.append(document.importNode(byId("editor", HTMLTemplateElement).content, true));
  const form = /** @type {HTMLFormElement} */ (cell.querySelector("form"));
  const [name, tag, notes] = ["name", "tag", "notes"].map((key) => /** @type {HTMLInputElement} */ (form.elements.namedItem(key)));
  let tags = [...words.tags];
  [name.value, notes.value] = [words.name, words.notes];

  const showTags = () => {
    const chips = tags.map((one) => {
      const chip = make("button", `${one} ×`, "filter-chip");
      chip.setAttribute("type", "button");
      chip.setAttribute("aria-label", `Remove the tag ${one}`);
      chip.addEventListener("click", () => {
        tags = tags.filter((other) => other !== one);
        showTags();
        tag.focus();
      });
      return chip;
    });
    /** @type {Element} */ (form.querySelector(".edited-tags")).replaceChildren(...chips);
  };
  const addTag = () => {
    const text = tag.value.trim();
    if (text && !tags.includes(text)) tags.push(text);
    tag.value = "";
    showTags();
    return text !== "";
  };
  const close = () => {
    line.remove();
    row.focus({ preventScroll: true });
    whenDone?.(id);
  };
  showTags();

  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && event.target === tag) {
      if (addTag()) event.preventDefault();
    } else if (event.key === "Backspace" && event.target === tag && !tag.value) {
      tags.pop();
      showTags();
    } else if (event.key === "Enter" && event.target === notes && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    event.stopPropagation();
  });
  form.querySelector("[data-close]")?.addEventListener("click", close);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    addTag();
    const error = await save(id, words, { name: name.value, tags, notes: notes.value });
    if (error) showError(form, error);
    else close();
  });
  row.after(line);
  focusOn(form, field);
}

/**
 * Send what differs from what was there.
 * @param {string} id
 * @param {Words} before
 * @param {Words} after
 * @returns {Promise<ApiError | null>}
 */
async function save(id, before, after) {
  const changed = Object.entries(after).filter(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(before[/** @type {keyof Words} */ (key)]),
  );
  try {
    if (changed.length) await send("PATCH", `/runs/${id}`, Object.fromEntries(changed));
    return null;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {ApiError} error
 */
function showError(form, error) {
  const told = error.fields.length ? error.fields : [{ field: "name", message: error.message }];
  for (const part of form.querySelectorAll("[data-path]")) {
    const path = /** @type {HTMLElement} */ (part).dataset.path;
    const found = told.find((one) => one.field.split(".")[0] === path);
    const line = /** @type {HTMLElement} */ (part.querySelector(".field-error"));
    line.hidden = !found;
    line.textContent = found?.message ?? "";
    part.classList.toggle("invalid", Boolean(found));
    part.querySelector("input, textarea")?.setAttribute("aria-invalid", String(Boolean(found)));
  }
}

/**
 * @param {Element} within
 * @param {string} field
 */
function focusOn(within, field) {
  const found = within.querySelector(`[data-path="${field}"] input, [data-path="${field}"] textarea`);
  if (found instanceof HTMLElement) found.focus();
}
