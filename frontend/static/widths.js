/** The Widths page: controls into the address, the address into a plan, the plan into charts. */
import { send } from "./api.js";
import { pageCharts } from "./charts.js";
import { byId } from "./dom.js";
import { unfoldHelp } from "./form-help.js";
import { refreshRegions, settled } from "./live.js";
import { ThresholdSlider } from "./threshold-slider.js";
import { allowLaunch, attachLaunch } from "./width-launch.js";

const SETTLE_MS = 120;

/**
 * @typedef {object} PlanView what the server says of the plan that the address asks for
 * @property {string | null} query of its figures; null where the address itself does not fit
 * @property {string | null} curve what of the query the curve over thresholds depends on
 * @property {Record<string, unknown> | null} request
 * @property {Record<string, string>} problems what is wrong with controls, by their key
 * @property {string} refusal why there is no plan; empty where there is one
 * @property {{x: number, kept: number[]} | null} now where the plan lies on the curve
 */

const form = byId("controls", HTMLFormElement);
const charts = pageCharts();
const curve = charts.find((one) => one.figure === "width_curve");
const slider = new ThresholdSlider(() => refresh());
let view = viewOf(document);
/** @type {string | null} */
let drawnCurve = null;

/**
 * @param {Document} page
 * @returns {PlanView}
 */
function viewOf(page) {
  return JSON.parse(page.getElementById("view")?.textContent ?? "");
}

/** The address of what the controls say, without what is the default anyway. */
function address() {
  const query = new URLSearchParams();
  for (const [key, value] of new FormData(form)) {
    const text = String(value).trim();
    const usual = key === "t" ? slider.own : (DEFAULTS[key] ?? "");
    if (text !== usual) query.append(key, text);
  }
  return `/widths?${query}`;
}

/** @type {Record<string, string>} */
const DEFAULTS = { c: "absolute", macs: "1", tie: "max", div: "8", min: "8" };

async function draw() {
  const { query, refusal } = view;
  allowLaunch(!refusal);
  showProblems();
  const shown = charts.filter((chart) => chart !== curve);
  if (query === null) shown.forEach((chart) => chart.refuse("Mend the values marked red."));
  else if (refusal) shown.forEach((chart, k) => chart.refuse(k ? "No plan." : sentence(refusal)));
  else await Promise.all(shown.map((chart) => chart.show(asked(query))));
  await drawCurve();
}

/** Red text at each control that is wrong, as the form of a new run has it. */
function showProblems() {
  for (const line of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-problem]"))) {
    const key = line.dataset.problem ?? "";
    const text = view.problems[key] ?? "";
    // An alert that says what it said before is not said again.
    if (line.textContent !== text) line.textContent = text;
    line.hidden = !text;
    for (const control of form.querySelectorAll(`[name="${key}"]`)) {
      if (text) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
  }
}

/** @param {string} refusal */
function sentence(refusal) {
  return `${refusal.charAt(0).toUpperCase()}${refusal.slice(1)}.`;
}

/** @param {string} query */
function asked(query) {
  return { layer: "", iteration: null, criterion: "", threshold: "", query };
}

/** Plans at other thresholds do not change while only the threshold moves: then the mark alone does. */
async function drawCurve() {
  if (!curve) return;
  if (view.query === null) {
    drawnCurve = null;
    return curve.refuse("No plan.");
  }
  if (view.curve !== drawnCurve) {
    drawnCurve = view.curve;
    await curve.show(asked(view.query));
  }
  markCurve();
}

function markCurve() {
  if (!curve?.loaded) return;
  const mark = curve.plot.data.findIndex((trace) => trace.meta?.part === "now");
  const kept = view.now?.kept ?? [];
  const x = kept.map(() => view.now?.x);
  const drawn = curve.plot.data[mark];
  if (mark < 0 || (Array.from(drawn.x ?? []).join() === x.join() && Array.from(drawn.y ?? []).join() === kept.join())) return;
  Plotly.restyle(curve.plot, { x: [x], y: [kept] }, [mark]);
}

const regions = [byId("summary", HTMLElement), byId("groups", HTMLElement)];
/** @type {number[]} */
let heights = [];

/** While there is no plan, what it would fill keeps its height: nothing jumps under the hand on the slider. */
function keepHeights() {
  regions.forEach((region, k) => {
    region.style.minHeight = view.refusal && heights.length ? `${heights[k]}px` : "";
  });
}

const refresh = settled(async () => {
  history.replaceState(null, "", address());
  if (!view.refusal) heights = regions.map((region) => region.offsetHeight);
  const page = await refreshRegions();
  if (!page) return;
  view = viewOf(page);
  keepHeights();
  await draw();
}, SETTLE_MS);

if (curve) curve.onDrawn = markCurve;

form.addEventListener("input", (event) => {
  const control = event.target;
  if (control instanceof HTMLSelectElement && control.name === "run") {
    location.assign(`/widths?run=${control.value}`);
    return;
  }
  refresh();
});
// After the slider's own listener, which offers the new criterion's threshold.
form.addEventListener("change", () => refresh());
form.addEventListener("submit", (event) => event.preventDefault());
byId("defaults", HTMLButtonElement).addEventListener("click", () => {
  location.assign(`/widths?run=${new FormData(form).get("run")}`);
});
document.addEventListener("themechange", () => {
  drawnCurve = null;
  draw();
});

unfoldHelp(form);
attachLaunch(async () => (await send("POST", "/width-plans", view.request)).id, true);
draw();
