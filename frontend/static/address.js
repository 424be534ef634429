/** The view in the URL, under short keys: layer, i (iteration), c (criterion), t (threshold). */

/** @typedef {import("./charts.js").View} View */

/** @returns {Partial<View>} */
export function readView() {
  const query = new URLSearchParams(location.search);
  const iteration = Number(query.get("i"));
  return {
    layer: query.get("layer") ?? undefined,
    iteration: query.has("i") && Number.isFinite(iteration) ? iteration : undefined,
    criterion: query.get("c") ?? undefined,
    threshold: query.get("t") ?? undefined,
  };
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
    query.set("layer", view.layer);
    if (view.iteration === null) query.delete("i");
    else query.set("i", String(view.iteration));
    query.set("c", view.criterion);
    if (view.threshold) query.set("t", view.threshold);
    else query.delete("t");
    // A comma and a slash may stand in a query as they are, and are easier to read.
    const text = query.toString().replaceAll("%2C", ",").replaceAll("%2F", "/");
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
