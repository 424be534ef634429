/**
 * Several layers in short: `~` and the search that finds just them, else their names, with `..` between the first
 * and the last of three or more that follow each other.
 */
import { search } from "./layer-search.js";

/** @typedef {import("./layer-picker.js").Layer} Layer */

const BY_SEARCH = "~";

/**
 * @param {Layer[]} layers all of them, in network order
 * @param {Set<string>} chosen
 * @param {string} text the search at hand
 */
export function packed(layers, chosen, text) {
  if (!chosen.size) return "";
  const { fits, problem } = search(text);
  if (text.trim() && !problem && layers.every((layer) => fits(layer) === chosen.has(layer.name))) {
    return BY_SEARCH + text.trim();
  }
  /** @type {string[]} */
  const parts = [];
  for (let k = 0; k < layers.length; k++) {
    if (!chosen.has(layers[k].name)) continue;
    let end = k;
    while (end + 1 < layers.length && chosen.has(layers[end + 1].name)) end++;
    if (end - k > 1) parts.push(`${escaped(layers[k].name)}..${escaped(layers[end].name)}`);
    else for (let at = k; at <= end; at++) parts.push(escaped(layers[at].name));
    k = end;
  }
  return parts.join(",");
}

/**
 * @param {Layer[]} layers
 * @param {string} text as `packed` writes it; what is not of these layers is left out
 * @returns {{chosen: Set<string>, text: string}} and the search that it was written as
 */
export function unpacked(layers, text) {
  if (text.startsWith(BY_SEARCH)) {
    const { fits } = search(text.slice(1));
    return { chosen: new Set(layers.filter(fits).map((layer) => layer.name)), text: text.slice(1) };
  }
  const places = new Map(layers.map((layer, k) => [layer.name, k]));
  /** @type {Set<string>} */
  const chosen = new Set();
  for (const part of text.split(",").filter(Boolean)) {
    const [first, last = first] = part.split("..").map(plain);
    const [from, to] = [places.get(first), places.get(last)];
    if (from === undefined || to === undefined) continue;
    for (let k = from; k <= to; k++) chosen.add(layers[k].name);
  }
  return { chosen, text: "" };
}

/** @param {string} name */
function escaped(name) {
  return name.replace(/[%,~]|\.\./g, (found) => (found === ".." ? "%2E%2E" : encodeURIComponent(found).replace("~", "%7E")));
}

/** @param {string} text */
function plain(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
