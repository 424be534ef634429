/** The Run page: actions, log, and the explorer over one run. */
import { Chart } from "./charts.js";
import { copy } from "./clipboard.js";
import { byId, toast } from "./dom.js";
import { Explorer, pageView } from "./explorer.js";
import { refreshRegions, settled, watchRuns } from "./live.js";
import { Predictions } from "./predictions.js";
import { attachActions } from "./run-actions.js";
import { attachWords } from "./run-editor.js";
import { watchHeartbeat } from "./run-heartbeat.js";
import { LogView } from "./run-log.js";
import { controlLook } from "./run-look.js";

const head = byId("head", HTMLElement);
const run = Number(head.dataset.run);
const explorer = new Explorer(pageView());
const look = controlLook(explorer);
explorer.start();
explorer.onCriterion = settled(refreshRegions);
const predictions = new Predictions(run);
const log = document.getElementById("log") ? new LogView(run) : null;
const readHeartbeat = watchHeartbeat(run);

/** Bring the page to what the server shows now. */
async function bring() {
  const page = await refreshRegions();
  readHeartbeat();
  if (page) {
    adoptCharts(page);
    adoptName(page);
    showMeasured();
  }
  return page;
}

/** What was measured is shown at once; how far the run is, often enough to see that it moves. */
const PROGRESS_MS = 3000;
/** Whether there may be predictions that are not shown. */
let measured = false;

const update = settled(async () => {
  const page = await bring();
  if (page) await explorer.extend(pageView(page));
  await log?.refresh().catch(() => undefined);
  if (!measured) return;
  measured = false;
  await predictions.refresh().catch(() => undefined);
});

watchRuns((change) => {
  // One that waits for another says so until that one has ended.
  const concerning = [run, Number(head.dataset.waits)];
  const among = (/** @type {number[]} */ runs) => concerning.some((one) => runs.includes(one));
  if (!change || among(change.measured)) {
    measured = true;
    update();
  } else if (among(change.changed)) update(PROGRESS_MS);
  if (change?.deleted.includes(run)) location.assign("/");
});
attachActions(head, () => update());
attachWords(run, bring);

/**
 * Take over the run's name where it was changed: figures name their runs.
 * @param {Document} page
 */
function adoptName(page) {
  const [here, there] = [document, page].map((one) => one.querySelector("#readout li a"));
  if (!here || !there || here.textContent === there.textContent) return;
  here.replaceWith(document.importNode(there, true));
  for (const chart of explorer.charts) chart.show(explorer.view);
}

/** Of a run that ended before anything was measured there is nothing to draw, until it is started again. */
function showMeasured() {
  for (const id of ["training", "measured"]) {
    const part = document.getElementById(id);
    if (part) part.hidden = "bare" in head.dataset;
  }
}

/**
 * Add the charts of metrics that have been measured since the page was made; those that are there stay as they are.
 * @param {Document} page
 */
function adoptCharts(page) {
  for (const name of ["training", "training-more"]) {
    const here = document.querySelector(`#${name} .charts`);
    for (const wanted of page.querySelectorAll(`#${name} figure.chart`)) {
      const { figure, metric } = /** @type {HTMLElement} */ (wanted).dataset;
      const same = `figure[data-figure="${figure}"]${metric ? `[data-metric="${CSS.escape(metric)}"]` : ""}`;
      if (!here || here.querySelector(same)) continue;
      const element = /** @type {HTMLElement} */ (document.importNode(wanted, true));
      here.append(element);
      here.closest("section")?.removeAttribute("hidden");
      const chart = new Chart(element);
      explorer.charts.push(chart);
      look?.();
      chart.show(explorer.view);
    }
  }
}

byId("copy-settings", HTMLButtonElement).addEventListener("click", () => {
  const text = byId("specification", HTMLScriptElement).textContent ?? "{}";
  copy(JSON.stringify(JSON.parse(text), null, 2), "Settings copied as JSON.");
});
document.getElementById("log-copy")?.addEventListener("click", async () => {
  const answer = await fetch(`/api/v1/runs/${run}/logs/text`).catch(() => null);
  if (!answer?.ok) return toast("The log could not be fetched.", "error");
  await copy(await answer.text(), "The whole log is copied.");
});

for (const first of [log?.load(), predictions.refresh()]) first?.catch((error) => toast(error.message, "error"));
