/** The Run page: actions, log tail, and the explorer over one run. */
import { getJson, send } from "./api.js";
import { byId, confirmed, make, toast } from "./dom.js";
import { Explorer, pageView } from "./explorer.js";
import { refreshRegions, settled, watchRuns } from "./live.js";
import { Predictions } from "./predictions.js";

const LOG_LINES = 500;

const head = byId("head", HTMLElement);
const run = Number(head.dataset.run);
const explorer = new Explorer(pageView());
explorer.start();
explorer.onCriterion = settled(refreshRegions);
const predictions = new Predictions(run);

const recorded = head.dataset.origin === "recorded";
const log = recorded ? null : byId("log", HTMLPreElement);
let following = true;
log?.addEventListener("scroll", () => {
  following = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
});

async function readLog() {
  if (!log) return;
  const after = Number(log.dataset.next);
  const { lines, next } = await getJson(`/runs/${run}/logs?${after ? `after=${after}` : `last=${LOG_LINES}`}`);
  log.dataset.next = String(next);
  for (const line of lines) log.append(make("div", line.text));
  while (log.childElementCount > LOG_LINES) log.firstElementChild?.remove();
  if (following) log.scrollTop = log.scrollHeight;
}

const update = settled(async () => {
  const page = await refreshRegions();
  if (page) await explorer.extend(pageView(page));
  await readLog().catch(() => undefined);
  await predictions.refresh().catch(() => undefined);
}, 1200);

watchRuns((change) => {
  if (!change || change.changed.includes(run)) update();
  if (change?.deleted.includes(run)) location.assign("/");
});

/** @type {Record<string, [string, string]>} */
const QUESTIONS = {
  cancel: [
    "Cancel this run?",
    recorded
      ? "Its training is told to stop when it next records something; it cannot be resumed from here."
      : "It stops after the current iteration and saves a checkpoint; it can be resumed.",
  ],
  retry: ["Start again from the beginning?", "What it has measured so far is removed."],
  delete: ["Delete this run?", `Its spectra${recorded ? " and metrics" : ", metrics, log and checkpoints"} are removed for good.`],
};

head.addEventListener("click", async (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-action]") : null;
  if (!(button instanceof HTMLButtonElement)) return;
  const action = button.dataset.action ?? "";
  const question = QUESTIONS[action];
  if (question && !(await confirmed(question[0], `${button.dataset.name}\n${question[1]}`, button.textContent ?? ""))) return;
  try {
    if (action === "delete") {
      await send("DELETE", `/runs/${run}`);
      location.assign("/");
      return;
    }
    await send("POST", `/runs/${run}/${action}`);
    const stopping = recorded ? "Told to stop when it next records something." : "Stopping after this iteration.";
    toast(action === "cancel" ? stopping : "Queued.");
    update();
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), "error");
  }
});

for (const first of [readLog(), predictions.refresh()]) first.catch((error) => toast(error.message, "error"));
