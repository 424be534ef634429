/** Eigenspectra: one binary block per (run, layer), kept, so that scrubbing asks the server for nothing. */
import { getBytes } from "./api.js";

const KEPT_BLOCKS = 48;

/**
 * @typedef {object} Block
 * @property {Int32Array} iterations
 * @property {number} width
 * @property {Float32Array} values iterations x width, each row descending
 */

/** @type {Map<string, Promise<Block>>} */
const blocks = new Map();

/**
 * @param {number} run
 * @param {string} layer
 * @returns {Promise<Block>}
 */
export function spectraOf(run, layer) {
  const key = `${run}/${layer}`;
  const known = blocks.get(key);
  if (known) return known;
  const path = `/runs/${run}/spectra?layer=${encodeURIComponent(layer)}&format=binary`;
  const block = getBytes(path).then(decode);
  block.catch(() => blocks.delete(key));
  blocks.set(key, block);
  if (blocks.size > KEPT_BLOCKS) blocks.delete(String(blocks.keys().next().value));
  return block;
}

/**
 * Forget what is known of a run, because it has measured more.
 * @param {number} run
 */
export function forgetSpectra(run) {
  for (const key of blocks.keys()) if (key.startsWith(`${run}/`)) blocks.delete(key);
}

/**
 * @param {ArrayBuffer} bytes uint32 T, uint32 C, int32[T], float32[T x C], little-endian as every browser's machine
 * @returns {Block}
 */
function decode(bytes) {
  const [steps, width] = new Uint32Array(bytes, 0, 2);
  return {
    iterations: new Int32Array(bytes, 8, steps),
    width,
    values: new Float32Array(bytes, 8 + 4 * steps, steps * width),
  };
}

/**
 * @param {Block} block
 * @param {number} row
 */
export function spectrumAt(block, row) {
  return block.values.subarray(row * block.width, (row + 1) * block.width);
}
