/** Cancel, resume, retry, archive, delete: asked once, done where it is possible, else why it is not. */
import { send } from "./api.js";
import { confirmed, toast } from "./dom.js";

/**
 * @param {HTMLElement} head what holds the buttons
 * @param {() => void} done called when something was done
 */
export function attachActions(head, done) {
  const run = Number(head.dataset.run);
  const recorded = head.dataset.origin === "recorded";
  const questions = questionsOf(recorded);
  head.addEventListener("click", async (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-action]") : null;
    if (!(button instanceof HTMLButtonElement)) return;
    // A button that does nothing now can still be reached, and says why: a touch shows what a focus shows.
    if (button.getAttribute("aria-disabled") === "true") return;
    const action = button.dataset.action ?? "";
    const question = questions[action];
    hush();
    if (question && !(await confirmed(question[0], `${button.dataset.name}\n${question[1]}`, question[2]))) return;
    hush();
    const archives = action === "archive" && !head.dataset.archived;
    try {
      await act(run, action, head);
      if (action === "delete") return location.assign("/");
      const back = async () => {
        await send("PATCH", `/runs/${run}`, { archived: false }).catch((error) => toast(error.message, "error"));
        done();
      };
      toast(saidOf(action, head, recorded), "note", archives ? back : undefined);
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), "error");
    }
    done();
  });
}

/** Hide what a button says of itself once it was used, until another is looked at: it no longer holds. */
function hush() {
  const { dataset } = document.documentElement;
  const used = document.activeElement?.closest(".action");
  dataset.acted = "";
  const look = (/** @type {Event} */ event) => {
    if (event.target instanceof Element && event.target.closest(".action") === used) return;
    delete dataset.acted;
    for (const kind of ["pointerover", "focusin"]) document.removeEventListener(kind, look);
  };
  for (const kind of ["pointerover", "focusin"]) document.addEventListener(kind, look);
}

/**
 * @param {number} run
 * @param {string} action
 * @param {HTMLElement} head
 */
function act(run, action, head) {
  if (action === "archive") return send("PATCH", `/runs/${run}`, { archived: !head.dataset.archived });
  return action === "delete" ? send("DELETE", `/runs/${run}`) : send("POST", `/runs/${run}/${action}`);
}

/**
 * What is said once it is done.
 * @param {string} action
 * @param {HTMLElement} head
 * @param {boolean} recorded
 */
function saidOf(action, head, recorded) {
  if (action === "archive") return head.dataset.archived ? "Taken out of the archive." : "Archived; lists leave it out.";
  if (action !== "cancel") return "Queued.";
  if (head.dataset.status === "queued") return "Cancelled.";
  return recorded ? "Told to stop when it next records something." : "Stopping after this iteration.";
}

/**
 * @param {boolean} recorded
 * @returns {Record<string, [string, string, string]>} title, text and what the confirming button says
 */
function questionsOf(recorded) {
  const stopped = recorded
    ? "Its training is told to stop when it next records something; it cannot be resumed from here."
    : "It stops after the current iteration and saves a checkpoint; it can be resumed.";
  const removed = `Its spectra${recorded ? " and metrics" : ", metrics, log and checkpoints"} are removed for good.`;
  return {
    cancel: ["Cancel this run?", stopped, "Cancel the run"],
    retry: ["Start again from the beginning?", "What it has measured so far is removed.", "Retry"],
    delete: ["Delete this run?", removed, "Delete"],
  };
}
