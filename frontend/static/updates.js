/** Redraws what follows the cursor, from data the browser already has. */
import { lastAt } from "./numbers.js";
import { lineOf } from "./power-law.js";
import { spectrumAt } from "./spectra.js";

/** @typedef {import("./charts.js").Chart} Chart */
/** @typedef {import("./explorer.js").Explorer} Explorer */

/**
 * A run's dimensionality, or slope, of a layer at an iteration.
 * @param {Explorer} explorer
 * @param {number} run
 * @param {string} layer
 * @param {number} iteration
 * @returns {{value: number | null, width: number, iteration: number, unit: string, threshold: number | null} | null}
 *   null where the run has no such layer
 */
export function dimensionAt(explorer, run, layer, iteration) {
  const found = explorer.dimensions.get(run);
  const row = found?.layers.indexOf(layer) ?? -1;
  if (!found || row < 0 || !found.iterations.length) return null;
  const column = lastAt(found.iterations, iteration);
  const { unit, threshold } = found;
  return { value: found.values[row][column], width: found.widths[row], iteration: found.iterations[column], unit, threshold };
}

/**
 * @param {Chart} chart
 * @param {Explorer} explorer
 */
export function drawSpectrum(chart, explorer) {
  const { iteration } = explorer;
  if (iteration === null) return;
  /** @type {{x: unknown[], y: unknown[], customdata: unknown[]}} */
  const changes = { x: [], y: [], customdata: [] };
  /** @type {number[]} */
  const traces = [];
  chart.plot.data.forEach((trace, index) => {
    const run = trace.meta?.run;
    const block = run === null || run === undefined ? undefined : explorer.blocks.get(run);
    if (!block || run === null || run === undefined) return;
    const values = spectrumAt(block, lastAt(block.iterations, iteration));
    const at = dimensionAt(explorer, run, explorer.view.layer, iteration);
    if (trace.meta?.part === "curve") {
      traces.push(index);
      changes.x.push(undefined);
      changes.y.push(values);
      changes.customdata.push(undefined);
    } else if (trace.meta?.part === "fit" && at?.unit === "slope") {
      const line = lineOf(values, at.value, at.threshold ?? 0);
      traces.push(index);
      changes.x.push(line.x);
      changes.y.push(line.y);
      changes.customdata.push(line.x.map(() => [at.iteration, at.value, line.x[1]]));
    } else if (trace.meta?.part === "dimension" && at?.unit === "dimensions" && at.value !== null) {
      const x = Math.max(1, at.value);
      traces.push(index);
      changes.x.push([x]);
      changes.y.push([values[Math.min(values.length, Math.round(x)) - 1]]);
      changes.customdata.push([[at.iteration, at.value, at.width]]);
    }
  });
  if (traces.length) Plotly.restyle(chart.plot, changes, traces);
  chart.note(explorer.page.layers.find((layer) => layer.name === explorer.view.layer)?.note ?? "");
}

/**
 * @param {Chart} chart
 * @param {Explorer} explorer
 */
export function drawDepth(chart, explorer) {
  const { iteration } = explorer;
  if (iteration === null) return;
  /** @type {{y: unknown[]}} */
  const changes = { y: [] };
  /** @type {number[]} */
  const traces = [];
  chart.plot.data.forEach((trace, index) => {
    const run = trace.meta?.run;
    const found = run === null || run === undefined ? undefined : explorer.dimensions.get(run);
    if (!found?.iterations.length) return;
    const column = lastAt(found.iterations, iteration);
    traces.push(index);
    const full = (/** @type {number} */ row) => (found.unit === "slope" ? 1 : found.widths[row]);
    changes.y.push(found.values.map((row, k) => (row[column] === null ? NaN : Number(row[column]) / full(k))));
  });
  if (traces.length) Plotly.restyle(chart.plot, changes, traces);
  chart.note(`iteration ${iteration.toLocaleString("en-US")}`);
}
