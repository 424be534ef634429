/** What the server says of the runs that a page shows. */

/** @typedef {import("./layer-picker.js").Layer} Layer */
/**
 * @typedef {object} ViewRun
 * @property {number} id
 * @property {string} name
 * @property {number[]} iterations at which it has a snapshot
 * @property {number} total iterations of its whole training
 * @property {boolean} live
 * @property {string} colour a class of the stylesheet
 * @property {string} dash
 */
/** @typedef {{name: string, runs: number[], colour: string, dash: string}} Band runs that are drawn as one line */
/**
 * @typedef {object} PageView what the server says of the runs
 * @property {ViewRun[]} runs
 * @property {number[]} iterations
 * @property {Record<string, Band[]>} bands by what is chosen
 * @property {Layer[]} layers
 */
/**
 * @typedef {object} Dimensions
 * @property {string[]} layers
 * @property {number[]} iterations
 * @property {number[]} widths
 * @property {(number | null)[][]} values
 * @property {number | null} threshold
 * @property {"dimensions" | "slope"} unit
 */

/**
 * The last block output: where the paper's difference between I and S shows most.
 * @param {Layer[]} layers
 */
export function firstLayer(layers) {
  const blocks = layers.filter((layer) => layer.map === "block");
  return (blocks[blocks.length - 1] ?? layers[layers.length - 1])?.name ?? "";
}

/** @returns {PageView} */
export function pageView(page = document) {
  return JSON.parse(page.getElementById("view")?.textContent ?? "");
}
