/** From numbers to pixels, on plotly's axes or on those of a small chart. */

/** @typedef {{log: boolean, from: number, to: number, start: number, end: number}} Axis in decades where it is logarithmic */

/**
 * @param {PlotlyAxis} axis
 * @param {boolean} upwards
 * @returns {Axis}
 */
export function axisOf(axis, upwards) {
  const [from, to] = axis.range;
  const [start, end] = [axis._offset, axis._offset + axis._length];
  return { log: axis.type === "log", from, to, start: upwards ? end : start, end: upwards ? start : end };
}

/**
 * @param {Axis} axis
 * @param {number} value
 */
export function pixel(axis, value) {
  const at = axis.log ? Math.log10(value) : value;
  return axis.start + ((at - axis.from) / (axis.to - axis.from)) * (axis.end - axis.start);
}

/** @type {Map<string, {index: Int32Array, x: Float32Array}>} */
const stops = new Map();

/**
 * The indices 0 … width − 1 of a spectrum that fall on pixels of their own, and where: what lies between two of
 * them on a falling line would be drawn over them.
 * @param {number} width
 * @param {Axis} axis of 1 … width
 */
export function stopsOf(width, axis) {
  const key = `${width} ${axis.log} ${axis.from} ${axis.to} ${axis.start} ${axis.end}`;
  const known = stops.get(key);
  if (known) return known;
  /** @type {number[]} */
  const index = [];
  /** @type {number[]} */
  const x = [];
  for (let j = 0; j < width; j++) {
    const at = pixel(axis, j + 1);
    if (j && j < width - 1 && at - x[x.length - 1] < 0.6) continue;
    index.push(j);
    x.push(at);
  }
  const found = { index: Int32Array.from(index), x: Float32Array.from(x) };
  if (stops.size > 64) stops.clear();
  stops.set(key, found);
  return found;
}

/**
 * Add a line through heights to the path; what has no place on a logarithmic axis is left out.
 * @param {CanvasRenderingContext2D} pen
 * @param {ArrayLike<number>} heights
 * @param {Axis} xaxis
 * @param {Axis} yaxis
 * @param {number} [width] of the spectrum, as many as there are heights unless said
 */
export function trace(pen, heights, xaxis, yaxis, width = heights.length) {
  const { index, x } = stopsOf(width, xaxis);
  let down = false;
  for (let k = 0; k < index.length; k++) {
    const value = heights[index[k]];
    const drawn = yaxis.log ? value > 0 : value === value;
    if (drawn && down) pen.lineTo(x[k], pixel(yaxis, value));
    else if (drawn) pen.moveTo(x[k], pixel(yaxis, value));
    down = drawn;
  }
}

/**
 * Fill between two lines.
 * @param {CanvasRenderingContext2D} pen
 * @param {ArrayLike<number>} low
 * @param {ArrayLike<number>} high
 * @param {Axis} xaxis
 * @param {Axis} yaxis
 */
export function fillBetween(pen, low, high, xaxis, yaxis) {
  const { index, x } = stopsOf(high.length, xaxis);
  const floor = yaxis.start + 4;
  const at = (/** @type {number} */ value) => ((yaxis.log ? value > 0 : value === value) ? pixel(yaxis, value) : floor);
  pen.beginPath();
  for (let k = 0; k < index.length; k++) pen.lineTo(x[k], at(high[index[k]]));
  for (let k = index.length - 1; k >= 0; k--) pen.lineTo(x[k], at(low[index[k]]));
  pen.fill();
}

/**
 * Dashes as plotly draws them.
 * @param {string | undefined} dash
 * @param {number} width of the line
 */
export function dashes(dash, width) {
  const unit = Math.max(3, width);
  if (dash === "dash") return [3 * unit, 3 * unit];
  if (dash === "dot") return [unit, unit];
  return dash === "dashdot" ? [3 * unit, unit, unit, unit] : [];
}
