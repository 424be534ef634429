/** The spectrum at the cursor: drawn on a canvas while it moves, by plotly at rest. */
import { dimensionAt, dimensionsAt } from "./dimensions.js";
import { bandOf, heightsOf, levelOf } from "./heights.js";
import { lastAt } from "./numbers.js";
import { Overlay } from "./overlay.js";
import { dashes, fillBetween, pixel, trace as line } from "./pixels.js";
import { lineOf } from "./power-law.js";
import { knownSpectra, spectrumAt } from "./spectra.js";

/** @typedef {import("./charts.js").Chart} Chart */
/** @typedef {import("./explorer.js").Explorer} Explorer */
/** @typedef {import("./pixels.js").Axis} Axis */
/** @typedef {{curve: ArrayLike<number>, low: ArrayLike<number>, high: ArrayLike<number>, first: number, values: Float32Array}} Drawn */

export class SpectrumPainter {
  /**
   * @param {Chart} chart
   * @param {Explorer} explorer
   */
  constructor(chart, explorer) {
    this.chart = chart;
    this.explorer = explorer;
    this.overlay = new Overlay(chart);
    /** @type {Map<string, Drawn | null>} of this frame, by runs */
    this.drawn = new Map();
  }

  get #meta() {
    return this.chart.plot.layout.meta;
  }

  move() {
    // Until the figure of another layer has come, its lines would stand on this one's axes.
    if (this.#meta.layer !== this.explorer.view.layer) return;
    this.overlay.move(
      (pen, axes) => this.#paint(pen, axes),
      () => this.#settle(),
    );
    this.chart.note(this.explorer.noteOfLayer());
  }

  /** @returns {boolean} whether the cursor is still on its way: then plotly need not draw yet */
  get #waiting() {
    return this.explorer.scrubber.playing || this.explorer.dragged !== null;
  }

  /**
   * @param {number[]} runs
   * @returns {Drawn | null}
   */
  #of(runs) {
    if (!runs.length) return null;
    const key = runs.join();
    const known = this.drawn.get(key);
    if (known !== undefined) return known;
    const found = this.#computed(runs);
    this.drawn.set(key, found);
    return found;
  }

  /** @param {number[]} runs */
  #computed(runs) {
    const { view } = this.explorer;
    const height = this.#meta.height ?? "absolute";
    const spectra = runs.flatMap((run) => {
      const block = knownSpectra(run, view.layer);
      const target = this.explorer.iterationOf(run);
      return block?.iterations.length && target !== null ? [spectrumAt(block, lastAt(block.iterations, target))] : [];
    });
    if (spectra.length < runs.length) return null;
    const heights = spectra.map((values) => heightsOf(values, height));
    const [values, first] = [spectra[0], height === "relative" ? spectra[0][0] : 1];
    if (runs.length === 1) return { curve: heights[0], low: heights[0], high: heights[0], first, values };
    const band = bandOf(heights, height);
    return { curve: band.mean, low: band.low, high: band.high, first, values };
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {{x: Axis, y: Axis}} axes
   */
  #paint(pen, { x, y }) {
    this.drawn.clear();
    this.#threshold(pen, x, y);
    const marks = [];
    for (const one of this.chart.plot._fullData) {
      const runs = one.meta?.runs ?? [];
      const found = this.#of(runs);
      if (!found) continue;
      const part = one.meta?.part;
      if (part === "low") {
        pen.fillStyle = one.fillcolor ?? "";
        fillBetween(pen, found.low, found.high, x, y);
      } else if (part === "curve") {
        pen.beginPath();
        line(pen, found.curve, x, y);
        this.#stroke(pen, one.line);
      } else if (part === "dimension") marks.push(one);
      else if (part === "fit") this.#fit(pen, one, runs[0], found, x, y);
    }
    for (const one of marks) this.#dot(pen, one, x, y);
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {PlotlyTrace["line"]} style
   */
  #stroke(pen, style) {
    const width = style?.width ?? 1;
    pen.strokeStyle = style?.color ?? "";
    pen.lineWidth = width;
    pen.setLineDash(dashes(style?.dash, width));
    pen.lineJoin = "round";
    pen.stroke();
    pen.setLineDash([]);
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {Axis} x
   * @param {Axis} y
   */
  #threshold(pen, x, y) {
    const { criterion, dragged } = this.explorer;
    const level = levelOf(criterion.criterion, dragged, this.#meta.height ?? "absolute");
    this.chart.plot.classList.toggle("dragged", dragged !== null);
    if (level === null || (y.log && level <= 0)) return;
    const at = pixel(y, level);
    const { color, family } = this.chart.plot._fullLayout.font;
    pen.fillStyle = pen.strokeStyle = color;
    pen.lineWidth = 1;
    pen.setLineDash([3, 3]);
    pen.beginPath();
    pen.moveTo(x.start, at);
    pen.lineTo(x.end, at);
    pen.stroke();
    pen.setLineDash([]);
    pen.font = `11px ${family}`;
    pen.fillText(`τ = ${dragged}`, x.start + 4, at - 4);
  }

  /**
   * @param {PlotlyTrace} one
   * @returns {{d: number, place: number} | null}
   */
  #dimension(one) {
    const runs = one.meta?.runs ?? [];
    const found = this.#of(runs);
    const at = dimensionsAt(this.explorer, runs, this.explorer.view.layer);
    if (!found || !at) return null;
    const place = Math.min(found.curve.length, Math.max(1, Math.round(at.mean))) - 1;
    return { d: Math.max(1, at.mean), place };
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {PlotlyTrace} one
   * @param {Axis} x
   * @param {Axis} y
   */
  #dot(pen, one, x, y) {
    const at = this.#dimension(one);
    const height = at && this.#of(one.meta?.runs ?? [])?.curve[at.place];
    if (!at || height === null || height === undefined || (y.log && height <= 0)) return;
    pen.beginPath();
    pen.arc(pixel(x, at.d), pixel(y, height), 4.5, 0, 2 * Math.PI);
    pen.fillStyle = one.marker?.color ?? "";
    pen.fill();
    pen.lineWidth = 1.5;
    pen.strokeStyle = this.chart.plot._fullLayout.paper_bgcolor;
    pen.stroke();
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {PlotlyTrace} one
   * @param {number} run
   * @param {Drawn} found
   * @param {Axis} x
   * @param {Axis} y
   */
  #fit(pen, one, run, found, x, y) {
    const ends = this.#law(run, found);
    if (ends.x.length < 2) return;
    pen.beginPath();
    ends.x.forEach((at, k) => pen.lineTo(pixel(x, at), pixel(y, ends.y[k])));
    this.#stroke(pen, one.line);
  }

  /**
   * @param {number} run
   * @param {Drawn} found
   */
  #law(run, found) {
    const at = dimensionAt(this.explorer, run, this.explorer.view.layer);
    const drawn = at?.unit === "slope" && this.#meta.height !== "cumulative";
    const ends = lineOf(found.values, drawn ? at.value : null, at?.threshold ?? 0);
    return { x: ends.x, y: ends.y.map((height) => height / found.first) };
  }

  /** Bring plotly's lines to where the canvas has them: they answer to the mouse, and are what is saved. */
  async #settle() {
    if (this.#waiting) return void this.move();
    this.drawn.clear();
    /** @type {{x: unknown[], y: unknown[], customdata: unknown[]}} */
    const changes = { x: [], y: [], customdata: [] };
    /** @type {number[]} */
    const traces = [];
    this.chart.plot._fullData.forEach((one, index) => {
      const found = this.#of(one.meta?.runs ?? []);
      const change = found && this.#change(one, found);
      if (!change) return;
      traces.push(index);
      changes.x.push(change.x);
      changes.y.push(change.y);
      changes.customdata.push(change.customdata);
    });
    if (traces.length) await Plotly.restyle(this.chart.plot, changes, traces);
  }

  /**
   * @param {PlotlyTrace} one
   * @param {Drawn} found
   * @returns {{x?: unknown, y: unknown, customdata?: unknown} | null}
   */
  #change(one, found) {
    const { part, runs = [] } = one.meta ?? {};
    if (part === "curve" || part === "low" || part === "high") return { y: Float32Array.from(found[part]) };
    const at = dimensionAt(this.explorer, runs[0], this.explorer.view.layer);
    if (part === "fit" && at?.unit === "slope") {
      const ends = this.#law(runs[0], found);
      return { ...ends, customdata: ends.x.map(() => [at.iteration, at.value, ends.x[1]]) };
    }
    const place = part === "dimension" ? this.#dimension(one) : null;
    if (!place || !at || at.unit === "slope") return null;
    const among = dimensionsAt(this.explorer, runs, this.explorer.view.layer);
    const told = runs.length > 1 ? [among?.mean, among?.low, among?.high, found.curve.length] : [at.iteration, at.value, at.width];
    return { x: [place.d], y: [found.curve[place.place]], customdata: [told] };
  }
}
