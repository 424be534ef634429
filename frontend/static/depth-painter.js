/** Every layer's dimensionality at the cursor: drawn on a canvas while it moves, by plotly at rest. */
import { integer, lastAt } from "./numbers.js";
import { Overlay } from "./overlay.js";
import { pixel } from "./pixels.js";

/** @typedef {import("./charts.js").Chart} Chart */
/** @typedef {import("./explorer.js").Explorer} Explorer */

export class DepthPainter {
  /**
   * @param {Chart} chart
   * @param {Explorer} explorer
   */
  constructor(chart, explorer) {
    this.chart = chart;
    this.explorer = explorer;
    this.overlay = new Overlay(chart);
    /** @type {{data: PlotlyTrace[] | null, places: Map<number, Int32Array>}} where each run's layers stand */
    this.axis = { data: null, places: new Map() };
  }

  move() {
    this.overlay.move(
      (pen, { x, y }) => {
        for (const one of this.chart.plot._fullData) {
          const heights = this.#heights(one);
          const places = this.#places(one.meta?.run ?? 0);
          if (!heights || !places) continue;
          pen.strokeStyle = pen.fillStyle = one.line?.color ?? "";
          pen.lineWidth = one.line?.width ?? 1;
          pen.beginPath();
          let down = false;
          for (let k = 0; k < heights.length; k++) {
            const drawn = !Number.isNaN(heights[k]);
            if (drawn && down) pen.lineTo(pixel(x, places[k]), pixel(y, heights[k]));
            else if (drawn) pen.moveTo(pixel(x, places[k]), pixel(y, heights[k]));
            down = drawn;
          }
          pen.stroke();
          for (let k = 0; k < heights.length; k++) pen.fillRect(pixel(x, places[k]) - 1.5, pixel(y, heights[k]) - 1.5, 3, 3);
        }
      },
      () => this.#settle(),
    );
    this.chart.note(this.#note());
  }

  #note() {
    const { timeline, step } = this.explorer;
    if (step === null) return "";
    return timeline.align === "progress" ? `at ${timeline.words(timeline.indexOf(step))}` : `iteration ${integer(step)}`;
  }

  /**
   * @param {PlotlyTrace} one
   * @returns {Float64Array | null} a share of the width, or a slope as it is; NaN where there is none
   */
  #heights(one) {
    const run = one.meta?.run ?? null;
    const found = run === null ? undefined : this.explorer.dimensions.get(run);
    const target = run === null ? null : this.explorer.iterationOf(run);
    if (!found?.iterations.length || target === null) return null;
    const column = lastAt(found.iterations, target);
    const { values, widths, unit } = found;
    const heights = new Float64Array(values.length);
    for (let k = 0; k < values.length; k++) {
      const value = values[k][column];
      heights[k] = value === null ? NaN : value / (unit === "slope" ? 1 : widths[k]);
    }
    return heights;
  }

  /** @param {number} run */
  #places(run) {
    const { data, layout } = this.chart.plot;
    if (this.axis.data !== data) this.axis = { data, places: new Map() };
    const known = this.axis.places.get(run);
    const found = this.explorer.dimensions.get(run);
    if (known || !found) return known;
    const at = new Map((layout.meta.layers ?? []).map((name, k) => [name, k]));
    const places = Int32Array.from(found.layers, (name) => at.get(name) ?? -1);
    this.axis.places.set(run, places);
    return places;
  }

  async #settle() {
    if (this.explorer.scrubber.playing) return void this.move();
    /** @type {{y: unknown[]}} */
    const changes = { y: [] };
    /** @type {number[]} */
    const traces = [];
    this.chart.plot._fullData.forEach((one, index) => {
      const heights = this.#heights(one);
      if (!heights) return;
      traces.push(index);
      changes.y.push(heights);
    });
    if (traces.length) await Plotly.restyle(this.chart.plot, changes, traces);
  }
}
