/** Numbers as people write them. */

/**
 * Whole numbers with commas. The browser's own formats take 50 ms to be set up, while the first chart waits.
 * @param {number} value
 */
export function integer(value) {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/**
 * Up to four significant digits for a dimensionality that need not be whole.
 * @param {number} value
 */
export function dimension(value) {
  if (Number.isInteger(value)) return integer(value);
  return value.toLocaleString("en-US", { maximumSignificantDigits: 4 });
}

/**
 * Three significant digits.
 * @param {number} value
 */
export function significant(value) {
  return value.toLocaleString("en-US", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
}

/**
 * A count with three digits and its unit prefix: 23.5 M.
 * @param {number} value
 */
export function count(value) {
  for (const [size, prefix] of /** @type {[number, string][]} */ ([[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]])) {
    if (value >= 0.9995 * size) return `${(value / size).toPrecision(3)} ${prefix}`;
  }
  return String(value);
}

/**
 * Index of the last element not above `value`; 0 where all are above; -1 of nothing.
 * @param {ArrayLike<number>} rising
 * @param {number} value
 */
export function lastAt(rising, value) {
  let [from, to] = [0, rising.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (rising[middle] <= value) from = middle + 1;
    else to = middle;
  }
  return rising.length ? Math.max(0, from - 1) : -1;
}

/**
 * A span of time in its two largest units: 2 min 05 s.
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [minutes, hours] = [Math.floor(whole / 60), Math.floor(whole / 3600)];
  if (whole < 60) return `${whole} s`;
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/**
 * Whole percents, with a decimal only where it is not whole.
 * @param {number} value
 */
export function shortPercent(value) {
  return `${value.toLocaleString("en-US", { maximumFractionDigits: 1 })} %`;
}

/**
 * A share in 0…1 in whole percents; what is there and rounds to none of them as less than one.
 * @param {number} share
 */
export function wholePercent(share) {
  const percent = Math.round(100 * share);
  return share > 0 && percent === 0 ? "<1 %" : `${percent} %`;
}
