/** The table of runs in the page: its rows, and bringing it to what the server shows now without touching the rest. */
import { byId } from "./dom.js";
import { say } from "./live.js";
import { morph } from "./morph.js";

const AROUND = ["chips", "problem", "links", "foot", "by"];
/** Labels of the groups that a person has folded. @type {Set<string>} */
const folded = new Set();

export function table() {
  return byId("runs", HTMLTableElement);
}

/** Rows of runs, in order; with several groups a run may have several. @returns {HTMLTableRowElement[]} */
export function rows() {
  return [...table().querySelectorAll("tr")].filter((row) => row.dataset.id);
}

/** @param {HTMLTableRowElement} row */
export function nameOf(row) {
  return row.querySelector(".name a")?.textContent ?? "";
}

/** @param {HTMLTableRowElement} row */
export function tickOf(row) {
  return /** @type {HTMLInputElement} */ (row.querySelector(".tick input"));
}

/** The row being edited is left alone, and so is the order of all, until the person is done. */
export function isEditing() {
  return table().querySelector("tr.editor") !== null;
}

/**
 * Fetch what the address names and show it.
 * @param {Iterable<string> | null} only ids of the runs that changed; null asks for every row
 * @returns {Promise<"shown" | "incomplete" | "stale" | "failed">} `incomplete` where rows are needed that were not sent
 */
export async function bring(only) {
  const address = location.href;
  const asked = new URL(address);
  if (only) asked.searchParams.set("only", [...only].join(","));
  let fresh;
  try {
    const response = await fetch(asked, { headers: { Accept: "text/html" } });
    if (!response.ok && response.status !== 422) return "failed";
    fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    say("the server does not answer");
    return "failed";
  }
  say("");
  if (location.href !== address) return "stale";
  const wanted = fresh.getElementById("runs");
  // The first run came, or the last one went.
  if (!wanted !== !document.getElementById("runs")) location.reload();
  if (!(wanted instanceof HTMLTableElement)) return "failed";
  if (!showTable(wanted)) return "incomplete";
  byId("counts", HTMLElement).textContent = fresh.getElementById("counts")?.textContent ?? "";
  for (const id of AROUND) {
    const part = fresh.getElementById(id);
    if (part) morph(byId(id, HTMLElement), part);
  }
  return "shown";
}

/** @param {HTMLTableElement} wanted */
function showTable(wanted) {
  const current = table();
  const stands = new Map([...current.rows].filter((row) => row.id).map((row) => [row.id, row]));
  if (isEditing()) {
    for (const row of wanted.rows) {
      const mine = row.id && !("same" in row.dataset) && stands.get(row.id);
      if (mine && !mine.nextElementSibling?.classList.contains("editor")) morph(mine, row);
    }
    return true;
  }
  const named = [...wanted.rows].filter((row) => "same" in row.dataset);
  const otherColumns = current.dataset.columns !== wanted.dataset.columns;
  if (named.length && (otherColumns || named.some((row) => !stands.has(row.id)))) return false;
  const focused = document.activeElement;
  current.dataset.columns = wanted.dataset.columns;
  morph(byId("columns", HTMLElement), /** @type {HTMLElement} */ (wanted.tHead));
  showBodies(current, wanted, stands);
  showFolds();
  // A row that was moved loses the focus.
  if (focused instanceof HTMLElement && focused !== document.activeElement && current.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
  return true;
}

/**
 * @param {HTMLTableElement} current
 * @param {HTMLTableElement} wanted
 * @param {Map<string, HTMLTableRowElement>} stands rows of the page by id
 */
function showBodies(current, wanted, stands) {
  const old = new Map([...current.tBodies].map((body) => [body.id, body]));
  const groups = new Map([...old].map(([id, body]) => [id, body.querySelector("tr.group")]));
  for (const body of wanted.tBodies) {
    const mine = old.get(body.id) ?? document.createElement("tbody");
    old.delete(body.id);
    mine.id = body.id;
    if (body.dataset.label === undefined) delete mine.dataset.label;
    else mine.dataset.label = body.dataset.label;
    current.append(mine);
    showRows(mine, body, (row) => stands.get(row.id) ?? (row.id ? null : groups.get(body.id)) ?? null);
  }
  for (const body of old.values()) body.remove();
}

/**
 * @param {HTMLTableSectionElement} current
 * @param {HTMLTableSectionElement} wanted
 * @param {(row: HTMLTableRowElement) => Element | null} standing
 */
function showRows(current, wanted, standing) {
  let place = current.firstElementChild;
  for (const row of [...wanted.rows]) {
    const mine = standing(row);
    if (mine && !("same" in row.dataset)) morph(mine, row);
    if (mine && mine === place) place = place.nextElementSibling;
    else current.insertBefore(mine ?? document.importNode(row, true), place);
  }
  while (place) {
    const next = place.nextElementSibling;
    place.remove();
    place = next;
  }
}

function showFolds() {
  for (const body of table().tBodies) {
    const button = body.querySelector(".group-fold");
    const closed = folded.has(body.dataset.label ?? "") && button !== null;
    body.classList.toggle("folded", closed);
    button?.setAttribute("aria-expanded", String(!closed));
  }
}

/** @param {string} label */
export function toggleFold(label) {
  if (!folded.delete(label)) folded.add(label);
  showFolds();
}
