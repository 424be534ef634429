/** The Runs page: filter, select, act on several, live rows. */
import { send } from "./api.js";
import { byId, confirmed, isTyping, toast } from "./dom.js";
import { refreshRegions, settled, watchRuns } from "./live.js";

const TICK_MS = 30_000;

const refresh = settled(async () => {
  const page = await refreshRegions();
  const counts = page?.getElementById("counts")?.textContent;
  if (counts !== undefined && counts !== null) byId("counts", HTMLElement).textContent = counts;
  if (page && !page.getElementById("rows") !== !document.getElementById("rows")) location.reload();
  if (document.getElementById("rows")) showSelection();
});

watchRuns(refresh);
setInterval(() => document.hidden || refresh(), TICK_MS);
if (document.getElementById("rows")) attachTable();

/** @returns {HTMLTableRowElement[]} */
function rows() {
  return [...byId("rows", HTMLTableSectionElement).querySelectorAll("tr")].filter((row) => row.dataset.id);
}

function chosen() {
  return rows().filter((row) => row.querySelector("input")?.checked);
}

/**
 * @param {HTMLTableRowElement} row
 * @param {string} action
 */
function allows(row, action) {
  return (row.dataset.actions ?? "").split(" ").includes(action);
}

function showSelection() {
  const picked = chosen();
  byId("selected", HTMLOutputElement).textContent = picked.length ? `${picked.length} selected` : "none selected";
  byId("compare", HTMLButtonElement).disabled = picked.length < 2;
  byId("cancel", HTMLButtonElement).disabled = !picked.some((row) => allows(row, "cancel"));
  byId("delete", HTMLButtonElement).disabled = !picked.length;
  const all = byId("all", HTMLInputElement);
  all.checked = picked.length > 0 && picked.length === rows().length;
  all.indeterminate = picked.length > 0 && !all.checked;
}

/**
 * Do one action to several runs, each on its own, and say how it went.
 * @param {HTMLTableRowElement[]} picked
 * @param {(id: string) => Promise<unknown>} act
 * @param {string} done
 */
async function each(picked, act, done) {
  const results = await Promise.allSettled(picked.map((row) => act(row.dataset.id ?? "")));
  const failures = results.filter((one) => one.status === "rejected");
  for (const one of failures) toast(one.reason.message, "error");
  if (failures.length < picked.length) toast(`${picked.length - failures.length} ${done}`);
  refresh();
}

function attachTable() {
  const filter = byId("filter", HTMLFormElement);
  byId("rows", HTMLElement).addEventListener("change", showSelection);
  byId("all", HTMLInputElement).addEventListener("change", (event) => {
    const { checked } = /** @type {HTMLInputElement} */ (event.target);
    for (const row of rows()) /** @type {HTMLInputElement} */ (row.querySelector("input")).checked = checked;
    showSelection();
  });
  const search = settled(async () => {
    const query = new URLSearchParams();
    for (const [key, value] of new FormData(filter)) if (value && !(key === "sort" && value === "-id")) query.set(key, String(value));
    history.replaceState(null, "", query.size ? `/?${query}` : "/");
    refresh();
  }, 150);
  filter.addEventListener("input", search);
  filter.addEventListener("submit", (event) => event.preventDefault());
  byId("compare", HTMLButtonElement).addEventListener("click", () => {
    const ids = chosen().map((row) => Number(row.dataset.id));
    location.assign(`/compare?runs=${ids.sort((a, b) => a - b).join(",")}`);
  });
  byId("cancel", HTMLButtonElement).addEventListener("click", cancelChosen);
  byId("delete", HTMLButtonElement).addEventListener("click", deleteChosen);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || isTyping()) return;
    event.preventDefault();
    filter.querySelector("input")?.focus();
  });
  showSelection();
}

/** @param {HTMLTableRowElement[]} picked */
function named(picked) {
  const names = picked.slice(0, 6).map((row) => row.dataset.name);
  return [...names, ...(picked.length > 6 ? [`and ${picked.length - 6} more`] : [])].join("\n");
}

async function cancelChosen() {
  const picked = chosen().filter((row) => allows(row, "cancel"));
  const title = picked.length === 1 ? "Cancel this run?" : `Cancel ${picked.length} runs?`;
  const recorded = picked.filter((row) => row.dataset.origin === "recorded").length;
  const launched = picked.length > recorded ? "\nEach stops after its current iteration, saves a checkpoint and can be resumed." : "";
  const told = recorded ? "\nRecorded runs are told to stop when they next record something; they cannot be resumed from here." : "";
  const text = `${named(picked)}${launched}${told}`;
  if (await confirmed(title, text, "Cancel")) await each(picked, (id) => send("POST", `/runs/${id}/cancel`), "cancelled");
}

async function deleteChosen() {
  const picked = chosen();
  const title = picked.length === 1 ? "Delete this run?" : `Delete ${picked.length} runs?`;
  const text = `${named(picked)}\nSpectra, metrics, logs and checkpoints are removed for good.`;
  if (await confirmed(title, text, "Delete")) await each(picked, (id) => send("DELETE", `/runs/${id}`), "deleted");
}
