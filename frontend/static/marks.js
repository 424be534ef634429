/** Where the cursor stands in each kind of chart, and what a click there means. */
import { make } from "./dom.js";
import { lastAt } from "./numbers.js";

/** @typedef {import("./charts.js").Chart} Chart */
/** @typedef {import("./explorer.js").Explorer} Explorer */

/**
 * @param {Chart} chart
 * @param {Explorer} explorer
 */
export function placeCursor(chart, explorer) {
  if (!chart.loaded || explorer.step === null) return;
  const { iterations = [], layers = [] } = chart.plot.layout.meta;
  const { view } = explorer;
  const target = explorer.iterationOf(firstRun(chart)) ?? 0;
  const column = iterations.length ? lastAt(iterations, target) : null;
  const row = layers.includes(view.layer) ? layers.indexOf(view.layer) : null;
  switch (chart.figure) {
    case "heatmap":
    case "heatmap_difference":
      chart.mark("vertical", column, null);
      chart.mark("horizontal", null, row);
      chart.mark("cell", row === null ? null : column, column === null ? null : row);
      break;
    case "dimension_by_iteration":
      chart.mark("vertical", sameForAll(explorer) ? column : null, null);
      placeDots(chart, explorer);
      break;
    case "dimension_by_depth":
      chart.mark("vertical", row, null);
      break;
    case "losses":
    case "average_precision":
    case "learning_rate":
    case "metric":
      chart.mark("vertical", sameForAll(explorer) ? target : null, null);
      break;
  }
}

/**
 * Whether one line across a chart of several runs is where all of them stand.
 * @param {Explorer} explorer
 */
function sameForAll({ view, timeline, page }) {
  if (view.x) return false;
  return timeline.align === "iteration" || new Set(page.runs.map((run) => run.total)).size === 1;
}

/** @param {Chart} chart */
function firstRun(chart) {
  return Number(chart.runs.split(",")[0]);
}

/**
 * A dot on each run's own snapshot: under an axis of time, or of progress, they do not stand above each other.
 * @param {Chart} chart
 * @param {Explorer} explorer
 */
function placeDots(chart, explorer) {
  const { xaxis, yaxis } = chart.plot._fullLayout;
  const dots = /** @type {HTMLElement[]} */ ([...chart.plot.querySelectorAll(".cursor-dot")]);
  let used = 0;
  for (const one of chart.plot._fullData) {
    const run = one.meta?.run;
    const found = run ? explorer.dimensions.get(run) : undefined;
    const target = run ? explorer.iterationOf(run) : null;
    if (!found || target === null || one.x?.length !== found.iterations.length) continue;
    const at = lastAt(found.iterations, target);
    const height = Number(one.y?.[at]);
    if (!Number.isFinite(height)) continue;
    const dot = dots[used] ?? chart.plot.appendChild(make("div", "", "cursor-dot"));
    used++;
    const x = xaxis._offset + xaxis.c2p(xaxis.d2c(one.x[at]));
    dot.style.transform = `translate(${x}px, ${yaxis._offset + yaxis.c2p(height)}px)`;
    dot.style.background = one.line?.color ?? "";
    dot.hidden = false;
  }
  for (const dot of dots.slice(used)) dot.hidden = true;
}

/**
 * What a clicked point stands for.
 * @param {Chart} chart
 * @param {PlotlyPoint} point
 * @param {Explorer} explorer
 * @returns {{layer?: string, iteration?: number, run?: number}}
 */
export function pointed(chart, point, explorer) {
  const { iterations = [], layers = [] } = chart.plot.layout.meta;
  if (Array.isArray(point.pointNumber)) {
    const [row, column] = point.pointNumber;
    return { layer: layers[row], iteration: iterations[column], run: firstRun(chart) };
  }
  const run = point.data.meta?.run ?? undefined;
  const found = explorer.dimensions.get(Number(run));
  if (chart.figure === "dimension_by_depth") return { layer: found?.layers[point.pointNumber] };
  if (chart.figure === "dimension_by_iteration" && found) return { iteration: found.iterations[point.pointNumber], run };
  if (chart.figure === "spectrum" || explorer.view.x) return {};
  return { iteration: Number(point.x), run };
}
