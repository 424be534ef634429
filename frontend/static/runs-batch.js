/** One action on the selected runs: asked for once, told run by run. */
import { send } from "./api.js";
import { byId, confirmed, make, toast } from "./dom.js";
import { allows, chosen } from "./runs-selection.js";
import { nameOf } from "./runs-table.js";

const NAMED_AT_MOST = 6;
/** @type {Record<string, string>} */
const DONE = { cancel: "cancelled", archive: "archived", unarchive: "taken out of the archive", delete: "deleted" };

/** @param {() => void} changed */
export function attachBatch(changed) {
  byId("compare", HTMLButtonElement).addEventListener("click", () => {
    const ids = chosen().map((row) => Number(row.dataset.id));
    location.assign(`/compare?runs=${ids.sort((a, b) => a - b).join(",")}`);
  });
  byId("selection", HTMLElement).addEventListener("click", async (event) => {
    const action = event.target instanceof HTMLElement ? event.target.dataset.batch : undefined;
    if (!action) return;
    const picked = chosen();
    if (await agreed(action, picked)) await act(action, picked, changed);
    changed();
  });
}

/**
 * @param {string} action
 * @param {HTMLTableRowElement[]} picked
 * @param {() => void} changed
 */
async function act(action, picked, changed) {
  const run_ids = picked.map((row) => Number(row.dataset.id));
  try {
    const answer = await send("POST", "/runs/batch", { action, run_ids });
    if (answer.refused) return showResults(action, answer);
    const rest = action === "archive" ? "; “Archived only” shows them" : "";
    const back = async () => {
      await send("POST", "/runs/batch", { action: "unarchive", run_ids }).catch((error) => toast(error.message, "error"));
      changed();
    };
    toast(`${answer.done} ${DONE[action]}${rest}`, "note", action === "archive" ? back : undefined);
  } catch (error) {
    toast(/** @type {Error} */ (error).message, "error");
  }
}

/**
 * @param {string} action
 * @param {{done: number, refused: number, results: {run_id: number, name: string | null, done: boolean, detail: string | null}[]}} answer
 */
function showResults(action, answer) {
  const title = answer.done ? `${answer.done} ${DONE[action]}, ${answer.refused} not` : `None ${DONE[action]}`;
  byId("results-title", HTMLElement).textContent = title;
  byId("results-list", HTMLElement).replaceChildren(
    ...answer.results.map((one) => {
      const line = make("li", "", one.done ? "done" : "refused");
      line.append(make("b", one.name ?? `run ${one.run_id}`), make("span", one.detail ?? DONE[action]));
      return line;
    }),
  );
  byId("results", HTMLDialogElement).showModal();
}

/** @param {HTMLTableRowElement[]} picked */
function named(picked) {
  const names = picked.slice(0, NAMED_AT_MOST).map(nameOf);
  return [...names, ...(picked.length > NAMED_AT_MOST ? [`and ${picked.length - NAMED_AT_MOST} more`] : [])].join("\n");
}

/**
 * Ask before what cannot be taken back; the archive can.
 * @param {string} action
 * @param {HTMLTableRowElement[]} picked
 */
async function agreed(action, picked) {
  if (action === "cancel") return cancelAgreed(picked.filter((row) => allows(row, "cancel")));
  if (action !== "delete") return true;
  const title = picked.length === 1 ? "Delete this run?" : `Delete ${picked.length} runs?`;
  return confirmed(title, `${named(picked)}\nSpectra, metrics, logs and checkpoints are removed for good.`, "Delete");
}

/** @param {HTMLTableRowElement[]} picked */
function cancelAgreed(picked) {
  const title = picked.length === 1 ? "Cancel this run?" : `Cancel ${picked.length} runs?`;
  const recorded = picked.filter((row) => row.dataset.origin === "recorded").length;
  const launched = picked.length > recorded ? "\nEach stops after its current iteration, saves a checkpoint and can be resumed." : "";
  const told = recorded ? "\nRecorded runs are told to stop when they next record something; they cannot be resumed from here." : "";
  return confirmed(title, `${named(picked)}${launched}${told}`, "Cancel");
}
