/** The New run page: live cost, errors at their fields, launch of one run or of a pair. */
import { ApiError, send } from "./api.js";
import { showCost, stale } from "./cost-panel.js";
import { byId, toast } from "./dom.js";
import { fieldErrors, focusFirstError, showErrors } from "./form-errors.js";
import { attachHelp } from "./form-help.js";
import { keepJson } from "./form-json.js";
import { keepMarks } from "./form-marks.js";
import { fill, showInit, specificationOf } from "./form-values.js";
import { showReport } from "./weights-report.js";

const PREVIEW_AFTER_MS = 250;

const form = byId("form", HTMLFormElement);
const launch = byId("launch", HTMLButtonElement);
const paired = form.dataset.pair === "true";
const marks = JSON.parse(byId("marks", HTMLScriptElement).text);

const redraw = keepMarks(form, marks, changed);
const json = keepJson(
  () => specificationOf(form),
  (specification) => {
    fill(form, specification, marks.defaults);
    redraw();
    previewSoon();
  },
);
attachHelp(form);

/** The form was changed: everything else follows it. */
function changed() {
  showInit(form);
  redraw();
  json.follow();
  previewSoon();
}

/** The specifications that Launch sends: one, or I and S. */
function specifications() {
  const one = json.typed() ?? specificationOf(form);
  if (!paired) return [one];
  const named = (/** @type {string} */ mark) => ({ name: one.name && `${one.name} ${mark}`, tags: [...(one.tags ?? []), mark] });
  return [
    { ...one, ...named("I") },
    { ...one, ...named("S"), init: { kind: "scratch" } },
  ];
}

/**
 * Show why the specification is refused, where that can be mended.
 * @param {unknown} error
 */
function show(error) {
  const line = byId("form-error", HTMLElement);
  const left = error instanceof ApiError ? showErrors(form, fieldErrors(error)) : [String(error)];
  // What has no field in the form can only have been typed as JSON.
  const typed = json.typed() !== null;
  json.say(typed ? left : []);
  line.textContent = typed ? "" : left.join(" ");
  line.hidden = typed || !left.length;
  stale(true);
}

/** @type {AbortController | null} */
let asking = null;
/** @type {number | undefined} */
let timer;

function previewSoon() {
  clearTimeout(timer);
  timer = window.setTimeout(preview, PREVIEW_AFTER_MS);
}

async function preview() {
  asking?.abort();
  const mine = (asking = new AbortController());
  try {
    const costs = await Promise.all(specifications().map((one) => send("POST", "/runs/preview", one, mine.signal)));
    if (mine.signal.aborted) return;
    showCost(costs);
    showReport(byId("weights-report", HTMLElement), costs[0].weights);
    showErrors(form, []);
    json.say([]);
    byId("form-error", HTMLElement).hidden = true;
  } catch (error) {
    if (mine.signal.aborted) return;
    show(error);
    showReport(byId("weights-report", HTMLElement), null);
  }
}

/** Launch once, however often it is asked for. */
async function start() {
  if (launch.disabled) return;
  clearTimeout(timer);
  asking?.abort();
  if (json.broken()) {
    byId("json", HTMLTextAreaElement).focus();
    return;
  }
  launch.disabled = true;
  try {
    const wanted = specifications();
    await Promise.all(wanted.map((one) => send("POST", "/runs/preview", one)));
    // Half a pair is of no use: both are queued by one request, or neither.
    if (wanted.length > 1) {
      /** @type {{id: number}[]} */
      const launched = await send("POST", "/runs/together", { runs: wanted });
      location.assign(`/compare?runs=${launched.map(({ id }) => id).join(",")}`);
    } else location.assign(`/runs/${(await send("POST", "/runs", wanted[0])).id}`);
  } catch (error) {
    show(error);
    launch.disabled = false;
    if (json.typed() && !byId("json-error", HTMLElement).hidden) byId("json", HTMLTextAreaElement).focus();
    else focusFirstError(form);
  }
}

form.addEventListener("input", changed);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
// A page that comes back from the browser's memory has its button as it was left.
window.addEventListener("pageshow", (event) => {
  if (event.persisted && form.querySelector("#f-dataset")) launch.disabled = false;
});

document.getElementById("make-shapes")?.addEventListener("click", async (event) => {
  const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
  button.disabled = true;
  button.textContent = "Generating…";
  try {
    await send("POST", "/datasets", { kind: "shapes" });
    location.reload();
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), "error");
    button.disabled = false;
    button.textContent = "Generate shapes";
  }
});

showInit(form);
redraw();
if (form.querySelector("#f-dataset")) preview();
