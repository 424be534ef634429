/** A layer's dimensionality at the cursor, from what the browser already has. */
import { countOf } from "./heights.js";
import { lastAt } from "./numbers.js";
import { knownSpectra, spectrumAt } from "./spectra.js";

/** @typedef {import("./explorer.js").Explorer} Explorer */
/**
 * @typedef {object} Dimension
 * @property {number | null} value null where it was not measured, or is undefined
 * @property {number} width
 * @property {number} iteration of the snapshot
 * @property {string} unit
 * @property {number | null} threshold
 */

/**
 * A run's dimensionality, or slope, of a layer at the cursor; null where the run has no such layer.
 * @param {Explorer} explorer
 * @param {number} run
 * @param {string} layer
 * @returns {Dimension | null}
 */
export function dimensionAt(explorer, run, layer) {
  const found = explorer.dimensions.get(run);
  const row = found?.layers.indexOf(layer) ?? -1;
  const target = explorer.iterationOf(run);
  if (!found || row < 0 || !found.iterations.length || target === null) return null;
  const column = lastAt(found.iterations, target);
  const iteration = found.iterations[column];
  const [width, unit] = [found.widths[row], found.unit];
  const { criterion, dragged } = explorer;
  const block = dragged === null ? null : knownSpectra(run, layer);
  if (block && dragged !== null) {
    const value = countOf(spectrumAt(block, lastAt(block.iterations, target)), criterion.criterion, dragged);
    if (value !== null) return { value, width, iteration, unit, threshold: dragged };
  }
  return { value: found.values[row][column], width, iteration, unit, threshold: found.threshold };
}

/**
 * The same of several runs: the mean, the lowest and the highest of those that have the number.
 * @param {Explorer} explorer
 * @param {number[]} runs
 * @param {string} layer
 */
export function dimensionsAt(explorer, runs, layer) {
  const values = runs
    .map((run) => dimensionAt(explorer, run, layer))
    .flatMap((one) => (one && one.value !== null ? [one.value] : []));
  if (!values.length) return null;
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  return { mean, low: Math.min(...values), high: Math.max(...values), count: values.length };
}
