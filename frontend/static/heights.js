/** What is drawn of eigenvalues, as `figures/spectrum_scale.py` and `figures/spectrum_band.py` draw it. */

/** @typedef {"absolute" | "relative" | "cumulative"} Height */
/** @typedef {{mean: Float64Array, low: Float64Array, high: Float64Array}} Band */

/** @type {Height[]} */
export const HEIGHTS = ["absolute", "relative", "cumulative"];
/** @type {Record<string, Height>} criteria whose threshold is a level of one of the heights */
const LEVELS = { absolute: "absolute", relative: "relative", variance: "cumulative" };

/**
 * @param {Float32Array} eigenvalues descending
 * @param {Height} height
 * @returns {Float32Array | Float64Array}
 */
export function heightsOf(eigenvalues, height) {
  if (height === "absolute") return eigenvalues;
  const drawn = new Float64Array(eigenvalues.length);
  let whole = eigenvalues[0];
  if (height === "relative") drawn.set(eigenvalues);
  else {
    whole = 0;
    for (let j = 0; j < drawn.length; j++) drawn[j] = whole += Math.max(0, eigenvalues[j]);
  }
  for (let j = 0; j < drawn.length; j++) drawn[j] = whole > 0 ? drawn[j] / whole : NaN;
  return drawn;
}

/** Of two runs a standard deviation says nothing that their two values do not say plainly. */
const DEVIATION_FROM = 3;

/**
 * The mean of several runs and one standard deviation to either side, of two the lower and the higher: of shares as
 * they are, of eigenvalues those of their logarithms. Where one of them is not positive, the mean is 0.
 * @param {ArrayLike<number>[]} drawn
 * @param {Height} height
 * @returns {Band}
 */
export function bandOf(drawn, height) {
  const width = Math.min(...drawn.map((one) => one.length));
  const [mean, low, high] = [new Float64Array(width), new Float64Array(width), new Float64Array(width)];
  const share = height === "cumulative";
  const count = drawn.length;
  for (let j = 0; j < width; j++) {
    let [sum, least, most] = [0, Infinity, -Infinity];
    for (const one of drawn) {
      least = Math.min(least, one[j]);
      most = Math.max(most, one[j]);
      sum += share ? one[j] : Math.log(Math.max(0, one[j]));
    }
    const middle = sum / count;
    mean[j] = share ? middle : Math.exp(middle);
    low[j] = least;
    high[j] = most;
    if (count < DEVIATION_FROM || !(share || least > 0)) continue;
    let squares = 0;
    for (const one of drawn) squares += ((share ? one[j] : Math.log(one[j])) - middle) ** 2;
    const spread = Math.sqrt(squares / (count - 1));
    low[j] = share ? Math.max(0, middle - spread) : Math.exp(middle - spread);
    high[j] = share ? Math.min(1, middle + spread) : Math.exp(middle + spread);
  }
  return { mean, low, high };
}

/**
 * Where a criterion's threshold is a line; null where it is none.
 * @param {string} criterion
 * @param {number | null} threshold
 * @param {Height} height
 */
export function levelOf(criterion, threshold, height) {
  return LEVELS[criterion] === height ? threshold : null;
}

/**
 * A criterion's number of one spectrum, of those that follow a threshold while it is dragged; null of the others.
 * @param {ArrayLike<number>} eigenvalues descending
 * @param {string} criterion
 * @param {number} threshold
 */
export function countOf(eigenvalues, criterion, threshold) {
  const { length } = eigenvalues;
  if (criterion === "absolute" || criterion === "relative") {
    const level = criterion === "absolute" ? threshold : Math.max(0, threshold * eigenvalues[0]);
    let above = 0;
    while (above < length && eigenvalues[above] > level) above++;
    return above;
  }
  if (criterion !== "variance" && criterion !== "degrees_of_freedom") return null;
  let trace = 0;
  let soft = 0;
  for (let j = 0; j < length; j++) {
    const value = Math.max(0, eigenvalues[j]);
    trace += value;
    soft += value / (value + threshold);
  }
  if (criterion === "degrees_of_freedom") return soft;
  let [held, leading] = [0, 0];
  while (leading < length && held < threshold * trace) held += Math.max(0, eigenvalues[leading++]);
  return leading;
}
