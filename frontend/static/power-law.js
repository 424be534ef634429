/**
 * The two ends of the line of this slope through the eigenvalues above a share of the largest, as
 * `backend.spectra.fit` draws it; none where the slope is undefined.
 * @param {ArrayLike<number>} values descending
 * @param {number | null} slope
 * @param {number} share
 */
export function lineOf(values, slope, share) {
  /** @type {{x: number[], y: number[]}} */
  const line = { x: [], y: [] };
  if (slope === null) return line;
  let ranks = 0;
  let logarithms = 0;
  for (; ranks < values.length && values[ranks] > share * values[0]; ranks++) {
    logarithms += Math.log(values[ranks]) + slope * Math.log(ranks + 1);
  }
  const first = Math.exp(logarithms / ranks);
  line.x.push(1, ranks);
  line.y.push(first, first * ranks ** -slope);
  return line;
}
