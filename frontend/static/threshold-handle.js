/** The threshold's line in the spectrum as a handle: dragged by hand, or moved by arrows in the threshold's field. */
import { make } from "./dom.js";
import { levelOf } from "./heights.js";
import { axisOf, pixel } from "./pixels.js";

/** @typedef {import("./charts.js").Chart} Chart */
/** @typedef {import("./explorer.js").Explorer} Explorer */

export class ThresholdHandle {
  /**
   * @param {Chart} chart
   * @param {Explorer} explorer
   */
  constructor(chart, explorer) {
    this.chart = chart;
    this.explorer = explorer;
    this.handle = make("div", "", "threshold-handle");
    this.handle.title = "Drag to move the threshold";
    this.handle.hidden = true;
    this.handle.addEventListener("pointerdown", (event) => this.handle.setPointerCapture(event.pointerId));
    this.handle.addEventListener("pointermove", (event) => {
      if (this.handle.hasPointerCapture(event.pointerId)) this.#drag(event.clientY);
    });
  }

  place() {
    const { plot } = this.chart;
    const { criterion, dragged } = this.explorer;
    const threshold = dragged ?? Number(criterion.threshold || criterion.input.placeholder);
    const level = levelOf(criterion.criterion, threshold, plot.layout.meta.height ?? "absolute");
    const { xaxis, yaxis } = plot._fullLayout;
    const at = level === null ? NaN : pixel(axisOf(yaxis, true), level);
    this.handle.hidden = !(at >= yaxis._offset && at <= yaxis._offset + yaxis._length);
    if (this.handle.hidden) return;
    if (!this.handle.isConnected) plot.append(this.handle);
    this.handle.style.width = `${xaxis._length}px`;
    this.handle.style.transform = `translate(${xaxis._offset}px, ${at}px)`;
  }

  /** @param {number} clientY */
  #drag(clientY) {
    const axis = axisOf(this.chart.plot._fullLayout.yaxis, true);
    const y = clientY - this.chart.plot.getBoundingClientRect().top;
    const at = axis.from + ((y - axis.start) / (axis.end - axis.start)) * (axis.to - axis.from);
    this.explorer.criterion.drag(axis.log ? 10 ** at : at);
  }
}
