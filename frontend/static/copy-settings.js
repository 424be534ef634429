/** Copies the table of settings as it is shown, for a spreadsheet or a message. */
import { byId, toast } from "./dom.js";

/** A leading = + - @ would run as a formula in a spreadsheet; numbers keep their sign. */
function defused(/** @type {string} */ text) {
  const flat = text.replace(/\s+/g, " ").trim();
  return /^[=+\-@]/.test(flat) && Number.isNaN(Number(flat)) ? `'${flat}` : flat;
}

/**
 * Return the rows that are shown, as lines of tab-separated cells.
 * @param {HTMLTableElement} table
 */
export function tableText(table) {
  const cells = (/** @type {Element} */ row) =>
    [...row.querySelectorAll(".copied")].map((cell) => defused(cell.textContent ?? ""));
  const head = ["Setting", ...cells(/** @type {HTMLElement} */ (table.tHead))];
  const rows = [...table.querySelectorAll("tr[data-setting]")].filter((row) => row.getClientRects().length);
  const lines = rows.map((row) => [defused(/** @type {HTMLElement} */ (row).dataset.setting ?? ""), ...cells(row)]);
  return [head, ...lines].map((line) => line.join("\t")).join("\n");
}

byId("copy-settings", HTMLButtonElement).addEventListener("click", async () => {
  const text = tableText(byId("settings-table", HTMLTableElement));
  const rows = text.split("\n").length - 1;
  try {
    await navigator.clipboard.writeText(text);
    toast(`${rows} setting${rows === 1 ? "" : "s"} copied.`);
  } catch {
    toast("The browser did not allow copying; select the table and copy it by hand.", "error");
  }
});
