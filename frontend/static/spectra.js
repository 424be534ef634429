/** Eigenspectra: one binary block per (run, layer), kept, so that scrubbing asks the server for nothing. */
import { getResponse } from "./api.js";

const KEPT_BYTES = 256 * 2 ** 20;
const HEAD = 8;

/**
 * @typedef {object} Block
 * @property {Int32Array} iterations
 * @property {number} width
 * @property {Float32Array} values iterations x width, each row descending
 */
/** @typedef {(got: number, of: number) => void} Arrival how many of a block's iterations have come */
/** @typedef {{block: Promise<Block>, known: Block | null, stale: boolean}} Kept */

/** @type {Map<string, Kept>} the last used last */
const blocks = new Map();

/**
 * @param {number} run
 * @param {string} layer
 * @param {Arrival} [arrived]
 * @returns {Promise<Block>}
 */
export function spectraOf(run, layer, arrived = () => undefined) {
  const key = `${run}/${layer}`;
  const kept = blocks.get(key);
  blocks.delete(key);
  if (kept && !kept.stale) {
    blocks.set(key, kept);
    return kept.block;
  }
  const grown = kept?.known ?? null;
  /** @type {Kept} */
  const fresh = { block: grown ? extended(run, layer, grown) : fetched(run, layer, -1, arrived), known: grown, stale: false };
  fresh.block.then(
    (block) => {
      fresh.known = block;
      forgetOldest();
    },
    () => blocks.get(key) === fresh && blocks.delete(key),
  );
  blocks.set(key, fresh);
  return fresh.block;
}

/**
 * The block where it is already here.
 * @param {number} run
 * @param {string} layer
 */
export function knownSpectra(run, layer) {
  return blocks.get(`${run}/${layer}`)?.known ?? null;
}

/**
 * Ask again for a run's spectra when they are next needed.
 * @param {number} run
 * @param {boolean} grown whether only further snapshots have come: then no more than those are asked for
 */
export function forgetSpectra(run, grown = false) {
  for (const [key, kept] of blocks) {
    if (!key.startsWith(`${run}/`)) continue;
    if (grown) kept.stale = true;
    else blocks.delete(key);
  }
}

function forgetOldest() {
  let bytes = 0;
  for (const { known } of blocks.values()) bytes += known?.values.byteLength ?? 0;
  for (const [key, { known }] of blocks) {
    if (bytes <= KEPT_BYTES) return;
    bytes -= known?.values.byteLength ?? 0;
    blocks.delete(key);
  }
}

/**
 * @param {number} run
 * @param {string} layer
 * @param {number} after
 * @param {Arrival} arrived
 */
async function fetched(run, layer, after, arrived) {
  const query = new URLSearchParams({ layer, format: "binary" });
  if (after >= 0) query.set("after", String(after));
  const response = await getResponse(`/runs/${run}/spectra?${query}`);
  return decode(await received(response, arrived));
}

/**
 * Read a block as it comes, and tell how many of its iterations are here.
 * @param {Response} response
 * @param {Arrival} arrived
 */
async function received(response, arrived) {
  const whole = Number(response.headers.get("content-length"));
  if (!response.body || !whole) return response.arrayBuffer();
  const bytes = new Uint8Array(whole);
  const reader = response.body.getReader();
  let got = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    bytes.set(part.value, got);
    got += part.value.length;
    if (got < HEAD) continue;
    const [steps, width] = new Uint32Array(bytes.buffer, 0, 2);
    arrived(Math.max(0, Math.floor((got - HEAD - 4 * steps) / (4 * width || 1))), steps);
  }
  return bytes.buffer;
}

/**
 * @param {number} run
 * @param {string} layer
 * @param {Block} block
 * @returns {Promise<Block>}
 */
async function extended(run, layer, block) {
  const last = block.iterations[block.iterations.length - 1] ?? -1;
  const more = await fetched(run, layer, last, () => undefined);
  const iterations = new Int32Array(block.iterations.length + more.iterations.length);
  const values = new Float32Array(block.values.length + more.values.length);
  iterations.set(block.iterations);
  iterations.set(more.iterations, block.iterations.length);
  values.set(block.values);
  values.set(more.values, block.values.length);
  return { iterations, width: block.width, values };
}

/**
 * @param {ArrayBuffer} bytes uint32 T, uint32 C, int32[T], float32[T x C], little-endian as every browser's machine
 * @returns {Block}
 */
function decode(bytes) {
  const [steps, width] = new Uint32Array(bytes, 0, 2);
  return {
    iterations: new Int32Array(bytes, HEAD, steps),
    width,
    values: new Float32Array(bytes, HEAD + 4 * steps, steps * width),
  };
}

/**
 * @param {Block} block
 * @param {number} row
 */
export function spectrumAt(block, row) {
  return block.values.subarray(row * block.width, (row + 1) * block.width);
}
