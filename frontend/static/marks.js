/** Where the cursor stands in each kind of chart, and what a click there means. */
import { lastAt } from "./numbers.js";

/** @typedef {import("./charts.js").Chart} Chart */
/** @typedef {import("./explorer.js").Explorer} Explorer */

/**
 * @param {Chart} chart
 * @param {Explorer} explorer
 */
export function placeCursor(chart, explorer) {
  const { iteration, view } = explorer;
  if (!chart.loaded || iteration === null) return;
  const { iterations = [], layers = [] } = chart.plot.layout.meta;
  const column = iterations.length ? lastAt(iterations, iteration) : null;
  const row = layers.includes(view.layer) ? layers.indexOf(view.layer) : null;
  switch (chart.figure) {
    case "heatmap":
    case "heatmap_difference":
      chart.mark("vertical", column, null);
      chart.mark("horizontal", null, row);
      chart.mark("cell", row === null ? null : column, column === null ? null : row);
      break;
    case "dimension_by_iteration":
      chart.mark("vertical", column, null);
      break;
    case "dimension_by_depth":
      chart.mark("vertical", row, null);
      break;
    case "losses":
    case "average_precision":
    case "learning_rate":
    case "metric":
      chart.mark("vertical", iteration, null);
      break;
  }
}

/**
 * What a clicked point stands for.
 * @param {Chart} chart
 * @param {PlotlyPoint} point
 * @param {Explorer} explorer
 * @returns {{layer?: string, iteration?: number}}
 */
export function pointed(chart, point, explorer) {
  const { iterations = [], layers = [] } = chart.plot.layout.meta;
  if (Array.isArray(point.pointNumber)) {
    const [row, column] = point.pointNumber;
    return { layer: layers[row], iteration: iterations[column] };
  }
  if (chart.figure === "dimension_by_depth") {
    return { layer: explorer.dimensions.get(Number(point.data.meta?.run))?.layers[point.pointNumber] };
  }
  return chart.figure === "spectrum" ? {} : { iteration: Number(point.x) };
}
