/** The Runs page: what the address names, kept live; each part has a module of its own. */
import { byId } from "./dom.js";
import { settled, watchRuns } from "./live.js";
import { attachBatch } from "./runs-batch.js";
import { attachColumns } from "./runs-columns.js";
import { attachEditor } from "./runs-editor.js";
import { attachHeading } from "./runs-heading.js";
import { attachKeys } from "./runs-keys.js";
import { allows, attachSelection, showSelection } from "./runs-selection.js";
import { bring, rows, table, toggleFold } from "./runs-table.js";

const TICK_MS = 30_000;
/** Several runs change all the time; a person's own change shows sooner. */
const PROGRESS_MS = 1800;
const TICKS_OF_ALL = 20;
const ROWS_AT_MOST = 200;
const CONTROLS = ["text", "status", "by", "archived"];

/** Runs whose rows are to be fetched; null stands for all. @type {Set<string> | null} */
let wanted = new Set();
let ticks = 0;

const refresh = settled(update);

async function update() {
  const asked = wanted && wanted.size <= ROWS_AT_MOST ? wanted : null;
  wanted = new Set();
  const outcome = await bring(asked);
  if (outcome === "incomplete" || outcome === "stale") refreshAll();
  else if (outcome === "failed" && asked) asked.forEach((id) => wanted?.add(id));
  else if (outcome === "failed") wanted = null;
  if (outcome === "shown") showSelection();
}

function refreshAll() {
  wanted = null;
  refresh();
}

/** @param {(query: URLSearchParams) => void} change */
function go(change) {
  const query = new URLSearchParams(location.search);
  change(query);
  goTo(query.size ? `/?${readable(query)}` : "/");
}

/** @param {URLSearchParams} query */
function readable(query) {
  // These may stand in a query as they are, and are easier to read.
  return query.toString().replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%3A", ":");
}

/** @param {string} address */
function goTo(address) {
  const before = withoutOrder(location.href);
  history.pushState(null, "", address);
  showControls();
  // Another order needs no row anew.
  if (withoutOrder(location.href) !== before) wanted = null;
  update();
}

/** @param {string} address */
function withoutOrder(address) {
  const url = new URL(address);
  for (const key of ["sort", "by"]) url.searchParams.delete(key);
  return url.searchParams.toString();
}

/** Bring the controls to the address, after Back or a link. */
function showControls() {
  const query = new URLSearchParams(location.search);
  const form = byId("filter", HTMLFormElement);
  for (const name of CONTROLS) {
    const control = form.elements.namedItem(name);
    if (control === document.activeElement && name === "text") continue;
    const value = query.getAll(name).length > 1 ? "" : (query.get(name) ?? (name === "archived" ? "no" : ""));
    if (control instanceof HTMLInputElement || control instanceof HTMLSelectElement) control.value = value;
  }
}

function attachFilterBar() {
  const form = byId("filter", HTMLFormElement);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    const control = event.target;
    if (!(control instanceof HTMLInputElement || control instanceof HTMLSelectElement)) return;
    const query = new URLSearchParams(location.search);
    query.delete(control.name);
    if (control.value && control.value !== "no") query.set(control.name, control.value);
    const address = query.size ? `/?${readable(query)}` : "/";
    // Of what is typed letter by letter, Back needs no trace.
    if (control.name !== "text") return goTo(address);
    history.replaceState(null, "", address);
    search();
  });
}

const search = settled(async () => {
  wanted = null;
  await update();
}, 150);

function attachLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[data-view]") : null;
    if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    // A row may be older than the view: its tag is added to what the address says now.
    if (link.classList.contains("tag")) go((query) => query.set("tag", link.textContent ?? ""));
    else goTo(link.href);
  });
  table().addEventListener("click", (event) => {
    const fold = event.target instanceof Element ? event.target.closest(".group-fold") : null;
    if (fold) toggleFold(fold.closest("tbody")?.dataset.label ?? "");
  });
  window.addEventListener("popstate", () => {
    showControls();
    refreshAll();
  });
}

/**
 * Ask for runs that changed soon.
 * @param {Iterable<string | number>} ids
 * @param {number} [within] milliseconds
 */
function refreshRuns(ids, within) {
  for (const id of ids) wanted?.add(String(id));
  refresh(within);
}

/** Time passes: in runs under way at once, in how long ago the others began now and then. */
function tick() {
  ticks += 1;
  if (ticks % TICKS_OF_ALL === 0 || rows().length <= ROWS_AT_MOST) refreshAll();
  else refreshRuns(rows().flatMap((row) => (allows(row, "cancel") ? [row.dataset.id ?? ""] : [])));
}

watchRuns((change) => (change ? refreshRuns([...change.changed, ...change.deleted], PROGRESS_MS) : refreshAll()));
if (document.getElementById("runs")) {
  attachFilterBar();
  attachLinks();
  attachSelection();
  attachBatch(refreshAll);
  attachEditor((id) => refreshRuns([id]));
  attachHeading(go);
  attachColumns(go);
  attachKeys();
  setInterval(() => document.hidden || tick(), TICK_MS);
}
