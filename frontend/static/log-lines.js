/** Lines of a log as elements: the stamp quiet, warnings and errors coloured, what is searched for marked. */
import { make } from "./dom.js";

/** @typedef {{number: number, text: string}} Line */

const STAMP = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (DEBUG|INFO|WARNING|ERROR|CRITICAL) /;

/**
 * @param {Line} line
 * @param {string} sought marked where it occurs, whatever the case of its letters
 */
export function lineElement(line, sought) {
  const stamp = STAMP.exec(line.text);
  const element = make("div", "", stamp ? `line ${stamp[1].toLowerCase()}` : "line");
  element.dataset.number = String(line.number);
  fill(element, line.text, stamp?.[0].length ?? 0, sought);
  return element;
}

/**
 * Mark something else in a line that is there.
 * @param {HTMLElement} element
 * @param {string} sought
 */
export function remark(element, sought) {
  const text = element.textContent ?? "";
  fill(element, text, STAMP.exec(text)?.[0].length ?? 0, sought);
}

/**
 * @param {HTMLElement} element
 * @param {string} text
 * @param {number} stamp how many of its first letters are the stamp
 * @param {string} sought
 */
function fill(element, text, stamp, sought) {
  const cuts = new Set([0, stamp, text.length]);
  const found = occurrences(text, sought);
  for (const start of found) cuts.add(start).add(start + sought.length);
  const borders = [...cuts].sort((a, b) => a - b);
  element.replaceChildren(
    ...borders.slice(0, -1).map((start, k) => {
      const part = text.slice(start, borders[k + 1]);
      const inside = found.some((at) => at <= start && start < at + sought.length);
      if (inside) return make("mark", part);
      return start < stamp ? make("span", part, "stamp") : document.createTextNode(part);
    }),
  );
}

/**
 * Where `sought` occurs, each place once.
 * @param {string} text
 * @param {string} sought
 */
function occurrences(text, sought) {
  /** @type {number[]} */
  const found = [];
  const low = text.toLowerCase();
  const wanted = sought.toLowerCase();
  // Letters whose lower case is longer would shift every place behind them: there only the same case is found.
  const [where, what] = low.length === text.length && wanted.length === sought.length ? [low, wanted] : [text, sought];
  for (let at = what ? where.indexOf(what) : -1; at >= 0; at = where.indexOf(what, at + what.length)) found.push(at);
  return found;
}
