/** The table's keys; the row cursor is the row that has the focus. */
import { byId, isTyping } from "./dom.js";
import { edit } from "./runs-editor.js";
import { chosen, select, selectNone, showSelection } from "./runs-selection.js";
import { rows, table, tickOf } from "./runs-table.js";

/** @returns {HTMLTableRowElement | null} */
function current() {
  const row = document.activeElement?.closest("tr");
  return row?.dataset.id ? row : null;
}

/** @param {number} step */
function move(step) {
  const shown = rows().filter((row) => !row.parentElement?.classList.contains("folded"));
  const at = current();
  const next = at ? shown[shown.indexOf(at) + step] : shown[step > 0 ? 0 : shown.length - 1];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" });
}

/** @type {Record<string, () => void>} */
const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  x: () => {
    const row = current();
    if (!row) return;
    select([row], !tickOf(row).checked);
    showSelection();
  },
  e: () => {
    const row = current();
    if (row) edit(row, "name");
  },
  Enter: () => /** @type {HTMLAnchorElement | null | undefined} */ (current()?.querySelector(".name a"))?.click(),
  Escape: () => chosen().length && selectNone(),
  "/": () => byId("filter", HTMLFormElement).querySelector("input")?.focus(),
};

/** Whether a key belongs to what has the focus: a link or button takes Enter, everything outside the table its arrows. */
function isTaken(/** @type {string} */ key) {
  const active = document.activeElement;
  if (key === "Enter") return !(active instanceof HTMLTableRowElement);
  return key.startsWith("Arrow") && active !== document.body && active !== byId("pane", HTMLElement) && !table().contains(active);
}

export function attachKeys() {
  document.addEventListener("keydown", (event) => {
    if (isTyping() || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
    if (document.querySelector(":popover-open") || isTaken(event.key)) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  byId("filter", HTMLFormElement).querySelector("input")?.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") move(1);
  });
}
