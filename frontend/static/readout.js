/** Each run's number at the cursor, in words beside its name. */
import { make } from "./dom.js";
import { dimension, integer, significant } from "./numbers.js";
import { dimensionAt } from "./updates.js";

/** @param {import("./explorer.js").Explorer} explorer */
export function showReadout(explorer) {
  const { iteration, view } = explorer;
  for (const line of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#readout [data-run]"))) {
    const value = line.querySelector(".value");
    if (!value) continue;
    const run = Number(line.dataset.run);
    if (iteration === null || !explorer.page.runs.find((one) => one.id === run)?.iterations.length) {
      value.textContent = "no snapshot yet";
      continue;
    }
    const at = dimensionAt(explorer, run, view.layer, iteration);
    if (!at) value.textContent = explorer.dimensions.has(run) ? "has no such layer" : "–";
    else if (at.value === null) value.textContent = `${at.unit === "slope" ? "no slope" : "not measured"} at ${integer(at.iteration)}`;
    else value.replaceChildren(...words(at.value, at.unit === "slope" ? null : at.width, at.iteration, iteration));
  }
}

/**
 * @param {number} value
 * @param {number | null} width null of a slope, which has no bound
 * @param {number} measured
 * @param {number} asked
 */
function words(value, width, measured, asked) {
  const when = measured === asked ? "" : `, at ${integer(measured)}`;
  if (width === null) return ["α = ", make("b", significant(value)), when];
  const share = Math.round((100 * value) / width);
  return ["d = ", make("b", dimension(value)), ` of ${integer(width)} (${share} %${when})`];
}
