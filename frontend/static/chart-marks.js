/** Marks over a chart: lines and cells placed by transform, which costs nothing beside plotly's relayout. */
import { make } from "./dom.js";

/** @typedef {"vertical" | "horizontal" | "cell" | "guide" | "guide-row"} Kind the last two follow the pointer */

/** @type {Record<Kind, "x" | "y" | "xy">} */
const PLACED_BY = { vertical: "x", horizontal: "y", cell: "xy", guide: "x", "guide-row": "y" };

/**
 * @param {PlotlyElement} plot
 * @param {Map<string, HTMLElement>} marks those that exist, by kind
 * @param {Kind} kind
 * @param {number | null} x of a category axis its index; null hides the mark
 * @param {number | null} y
 */
export function drawMark(plot, marks, kind, x, y) {
  const { xaxis, yaxis } = plot._fullLayout;
  const by = PLACED_BY[kind];
  const mark = markOf(plot, marks, kind);
  mark.hidden = (by !== "y" && !within(x, xaxis)) || (by !== "x" && !within(y, yaxis));
  if (mark.hidden) return;
  const half = by === "xy" ? 0.5 : 0;
  const left = xaxis._offset + (x === null ? 0 : xaxis.c2p(x - half));
  const top = yaxis._offset + (y === null ? 0 : yaxis.c2p(y - half));
  mark.style.transform = `translate(${left}px, ${top}px)`;
  mark.style.width = by === "x" ? "" : `${by === "xy" ? xaxis.c2p(1) - xaxis.c2p(0) : xaxis._length}px`;
  mark.style.height = by === "y" ? "" : `${by === "xy" ? yaxis.c2p(1) - yaxis.c2p(0) : yaxis._length}px`;
}

/**
 * @param {PlotlyElement} plot
 * @param {Map<string, HTMLElement>} marks
 * @param {Kind} kind
 */
function markOf(plot, marks, kind) {
  const known = marks.get(kind);
  if (known?.isConnected) return known;
  const mark = make("div", "", `crosshair ${kind}`);
  plot.append(mark);
  marks.set(kind, mark);
  return mark;
}

/**
 * @param {number | null} at
 * @param {PlotlyAxis} axis
 */
function within(at, axis) {
  return at !== null && axis.c2p(at) >= -1 && axis.c2p(at) <= axis._length + 1;
}
