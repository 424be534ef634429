/** A canvas over a chart of plotly's: what moves is drawn here, sixty times a second, and left to plotly at rest. */
import { axisOf } from "./pixels.js";

/** @typedef {import("./charts.js").Chart} Chart */

const REST_MS = 160;

export class Overlay {
  /** @param {Chart} chart */
  constructor(chart) {
    this.chart = chart;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "overlay";
    this.canvas.setAttribute("aria-hidden", "true");
    /** @type {CanvasRenderingContext2D | null} */
    this.pen = this.canvas.getContext("2d");
    /** @type {number | undefined} */
    this.resting = undefined;
    this.size = "";
  }

  get moving() {
    return this.resting !== undefined;
  }

  /**
   * Draw the chart's lines here, and call `rest` when nothing has moved for a while.
   * @param {(pen: CanvasRenderingContext2D, axes: {x: import("./pixels.js").Axis, y: import("./pixels.js").Axis}) => void} draw
   * @param {() => Promise<unknown>} rest brings plotly's own lines to the same state
   */
  move(draw, rest) {
    const { pen } = this;
    if (!pen) return;
    const { plot } = this.chart;
    const { xaxis, yaxis } = plot._fullLayout;
    this.#fit();
    pen.clearRect(0, 0, plot.clientWidth, plot.clientHeight);
    pen.save();
    pen.beginPath();
    pen.rect(xaxis._offset - 1, yaxis._offset - 1, xaxis._length + 2, yaxis._length + 2);
    pen.clip();
    draw(pen, { x: axisOf(xaxis, false), y: axisOf(yaxis, true) });
    pen.restore();
    plot.classList.add("moving");
    clearTimeout(this.resting);
    this.resting = window.setTimeout(() => this.#rest(rest), REST_MS);
  }

  /** @param {() => Promise<unknown>} rest */
  async #rest(rest) {
    const version = this.resting;
    await rest();
    if (version === this.resting) this.stop();
  }

  /** Show plotly's own lines. */
  stop() {
    clearTimeout(this.resting);
    this.resting = undefined;
    this.chart.plot.classList.remove("moving");
  }

  #fit() {
    const { plot } = this.chart;
    if (!this.canvas.isConnected) plot.append(this.canvas);
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const size = `${plot.clientWidth} ${plot.clientHeight} ${ratio}`;
    if (size === this.size) return;
    this.size = size;
    this.canvas.width = plot.clientWidth * ratio;
    this.canvas.height = plot.clientHeight * ratio;
    this.canvas.style.width = `${plot.clientWidth}px`;
    this.canvas.style.height = `${plot.clientHeight}px`;
    this.pen?.setTransform(ratio, 0, 0, ratio, 0, 0);
  }
}
