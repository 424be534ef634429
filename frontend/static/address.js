/** The view in the URL, under short keys; what is usual is left out. */

/** @typedef {import("./charts.js").View} View */

/** @type {[key: string, of: "layer" | "criterion" | "threshold" | "y" | "xs" | "ys" | "x" | "align" | "band" | "layers" | "many"][]} */
const TEXTS = [
  ["layer", "layer"],
  ["c", "criterion"],
  ["t", "threshold"],
  ["y", "y"],
  ["xs", "xs"],
  ["ys", "ys"],
  ["x", "x"],
  ["align", "align"],
  ["band", "band"],
  ["layers", "layers"],
  ["many", "many"],
];
/** @type {[key: string, of: "iteration" | "progress"][]} */
const NUMBERS = [
  ["i", "iteration"],
  ["p", "progress"],
];

/** @returns {Partial<View>} */
export function readView() {
  const query = new URLSearchParams(location.search);
  /** @type {Partial<View>} */
  const view = {};
  for (const [key, of] of TEXTS) view[of] = query.get(key) ?? undefined;
  for (const [key, of] of NUMBERS) {
    const value = Number(query.get(key));
    if (query.get(key) && Number.isFinite(value)) view[of] = value;
  }
  return view;
}

/** @type {number | undefined} */
let pending;

/**
 * Write the view into the URL, soon: browsers refuse more than some hundred changes in half a minute.
 * @param {View} view
 */
export function writeView(view) {
  clearTimeout(pending);
  pending = window.setTimeout(() => {
    const query = new URLSearchParams(location.search);
    for (const key of ["layer", "i", "p"]) query.delete(key);
    query.set("layer", view.layer);
    const [key, of] = NUMBERS[view.align === "progress" ? 1 : 0];
    if (typeof view[of] === "number") query.set(key, String(view[of]));
    for (const [name, text] of TEXTS) {
      if (view[text]) query.set(name, view[text]);
      else query.delete(name);
    }
    // A comma and a slash may stand in a query as they are, and are easier to read.
    const text = query.toString().replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%7E", "~");
    history.replaceState(null, "", `${location.pathname}?${text}`);
  }, 250);
}

/**
 * Write one key into the URL; empty takes it out.
 * @param {string} key
 * @param {string} value
 */
export function setKey(key, value) {
  const query = new URLSearchParams(location.search);
  if ((query.get(key) ?? "") === value) return;
  if (value) query.set(key, value);
  else query.delete(key);
  const text = query.toString().replaceAll("%2C", ",").replaceAll("%2F", "/");
  history.replaceState(null, "", text ? `${location.pathname}?${text}` : location.pathname);
}
