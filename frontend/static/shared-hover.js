/** What one points at in a chart is shown in every chart of the page along the same axis: a line, and the values there. */
import { lastAt } from "./numbers.js";

/** @typedef {import("./charts.js").Chart} Chart */
/** @typedef {{name: string, raw: ArrayLike<string | number> | null}} Scale `raw`: what the categories stand for */
/** @typedef {Record<string, string | number>} Place values by the name of their axis */

const LABELS_AT_MOST = 8;

/** @type {Set<Chart>} */
const charts = new Set();
/** @type {{from: Chart, place: Place} | null} */
let next = null;

/** @param {Chart} chart whose plot has been drawn for the first time */
export function shareHover(chart) {
  charts.add(chart);
  chart.plot.on("plotly_hover", (event) => {
    const point = event.points[0];
    if (point) ask(chart, placeOf(chart, point));
  });
  chart.plot.on("plotly_unhover", () => ask(chart, {}));
}

/**
 * @param {Chart} from
 * @param {Place} place
 */
function ask(from, place) {
  if (!next) requestAnimationFrame(show);
  next = { from, place };
}

function show() {
  if (!next) return;
  const { from, place } = next;
  next = null;
  for (const chart of charts) {
    if (!chart.plot.isConnected) charts.delete(chart);
    else if (chart !== from && chart.seen && chart.loaded) follow(chart, place);
  }
}

/**
 * @param {Chart} chart
 * @param {Place} place
 */
function follow(chart, place) {
  const x = positionOf(scaleOf(chart, "x"), place);
  const y = isHeatmap(chart) ? positionOf(scaleOf(chart, "y"), place) : null;
  chart.mark("guide", x, null);
  chart.mark("guide-row", null, y);
  const points = isHeatmap(chart) ? cellAt(x, y) : pointsAt(chart, x);
  if (points.length) Plotly.Fx.hover(chart.plot, points, "xy", true);
  else Plotly.Fx.unhover(chart.plot, {});
}

/** @param {Chart} chart */
function isHeatmap(chart) {
  return chart.plot._fullData[0]?.type === "heatmap";
}

/**
 * The axis' name is the first word of its title; the layers beside a heatmap need none.
 * @param {Chart} chart
 * @param {"x" | "y"} letter
 * @returns {Scale}
 */
function scaleOf(chart, letter) {
  const { layers = [], iterations = [] } = chart.plot.layout.meta;
  const axis = chart.plot._fullLayout[`${letter}axis`];
  const title = axis.title?.text ?? "";
  const name = title ? (/^[^\s,(]+/.exec(title)?.[0] ?? title) : "layer";
  if (axis.type !== "category") return { name, raw: null };
  return { name, raw: name === "iteration" ? iterations : layers };
}

/**
 * @param {Chart} chart
 * @param {PlotlyPoint} point
 * @returns {Place}
 */
function placeOf(chart, point) {
  const { xaxis, yaxis } = chart.plot._fullLayout;
  /** @type {Place} */
  const place = {};
  for (const [letter, value, axis] of /** @type {const} */ ([["x", point.x, xaxis], ["y", point.y, yaxis]])) {
    if (letter === "y" && !isHeatmap(chart)) continue;
    const { name, raw } = scaleOf(chart, letter);
    place[name] = raw ? raw[axis.d2c(value)] : Number(value);
  }
  return place;
}

/**
 * Where the place lies on an axis; null where it does not. Between snapshots it is the last one before.
 * @param {Scale} scale
 * @param {Place} place
 */
function positionOf({ name, raw }, place) {
  const value = place[name];
  if (value === undefined) return null;
  if (!raw) return Number(value);
  const values = Array.from(raw);
  const at = typeof value === "number" ? lastAt(/** @type {number[]} */ (values), value) : values.indexOf(value);
  return at < 0 ? null : at;
}

/**
 * @param {number | null} x
 * @param {number | null} y
 */
function cellAt(x, y) {
  return x === null || y === null ? [] : [{ curveNumber: 0, pointNumber: [y, x] }];
}

/**
 * The last point of each line that is not behind `x`.
 * @param {Chart} chart
 * @param {number | null} x
 */
function pointsAt(chart, x) {
  if (x === null) return [];
  const { xaxis } = chart.plot._fullLayout;
  const found = chart.plot._fullData.flatMap((trace, curveNumber) => {
    if (trace.visible !== true || trace.hoverinfo === "skip" || !trace.x?.length) return [];
    const places = xaxis.type === "category" ? Array.from(trace.x, (one) => xaxis.d2c(one)) : trace.x;
    const pointNumber = lastAt(/** @type {ArrayLike<number>} */ (places), x);
    const exact = xaxis.type !== "category" || places[pointNumber] === x;
    return exact ? [{ curveNumber, pointNumber }] : [];
  });
  return found.slice(0, LABELS_AT_MOST);
}
