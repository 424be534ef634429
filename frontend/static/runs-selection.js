/** Which runs are selected: the ticks of their rows are the truth. */
import { byId } from "./dom.js";
import { rows, table, tickOf } from "./runs-table.js";

/** @type {HTMLTableRowElement | null} */
let last = null;

/** One row for each selected run. @returns {HTMLTableRowElement[]} */
export function chosen() {
  const seen = new Map(rows().flatMap((row) => (tickOf(row).checked ? [[row.dataset.id, row]] : [])));
  return [...seen.values()];
}

/**
 * @param {HTMLTableRowElement} row
 * @param {string} action
 */
export function allows(row, action) {
  return (row.dataset.can ?? "").split(" ").includes(action);
}

/**
 * Select runs, or not, in each group that they stand in.
 * @param {HTMLTableRowElement[]} some
 * @param {boolean} wanted
 */
export function select(some, wanted) {
  const ids = new Set(some.map((row) => row.dataset.id));
  for (const one of rows()) if (ids.has(one.dataset.id)) tickOf(one).checked = wanted;
}

export function selectNone() {
  for (const row of rows()) tickOf(row).checked = false;
  showSelection();
}

/** Bring what depends on the selection to it. */
export function showSelection() {
  const picked = chosen();
  byId("selection", HTMLElement).hidden = !picked.length;
  byId("selected", HTMLOutputElement).textContent = picked.length ? `${picked.length} selected` : "none selected";
  byId("compare", HTMLButtonElement).disabled = picked.length < 2;
  for (const button of byId("selection", HTMLElement).querySelectorAll("button[data-batch]")) {
    const action = /** @type {HTMLButtonElement} */ (button).dataset.batch ?? "";
    const possible = picked.some((row) => allows(row, action));
    /** @type {HTMLButtonElement} */ (button).disabled = !possible;
    if (action === "unarchive") /** @type {HTMLButtonElement} */ (button).hidden = !possible;
  }
  for (const row of rows()) row.classList.toggle("chosen", tickOf(row).checked);
  showAll(byId("all", HTMLInputElement), rows());
  for (const body of table().tBodies) {
    const tick = body.querySelector("input[data-group]");
    if (tick instanceof HTMLInputElement) showAll(tick, rowsOf(body));
  }
}

/**
 * @param {HTMLInputElement} tick
 * @param {HTMLTableRowElement[]} of
 */
function showAll(tick, of) {
  const count = of.filter((row) => tickOf(row).checked).length;
  tick.checked = count > 0 && count === of.length;
  tick.indeterminate = count > 0 && !tick.checked;
}

/** @param {HTMLTableSectionElement} body */
function rowsOf(body) {
  return [...body.rows].filter((row) => row.dataset.id);
}

/** Ticks of rows, of groups, of all; with shift, all from the last one on. */
export function attachSelection() {
  let shift = false;
  table().addEventListener("click", (event) => (shift = event.shiftKey), true);
  table().addEventListener("change", (event) => {
    const tick = event.target;
    if (!(tick instanceof HTMLInputElement)) return;
    const { checked } = tick;
    const row = /** @type {HTMLTableRowElement} */ (tick.closest("tr"));
    if (tick.id === "all") select(rows(), checked);
    else if ("group" in tick.dataset) select(rowsOf(/** @type {HTMLTableSectionElement} */ (row.parentElement)), checked);
    else {
      select(shift ? between(row) : [row], checked);
      last = row;
    }
    showSelection();
  });
  byId("select-none", HTMLButtonElement).addEventListener("click", selectNone);
  showSelection();
}

/** @param {HTMLTableRowElement} row */
function between(row) {
  const all = rows();
  const [a, b] = [last ? all.indexOf(last) : -1, all.indexOf(row)].sort((x, y) => x - y);
  return a < 0 ? [row] : all.slice(a, b + 1);
}
