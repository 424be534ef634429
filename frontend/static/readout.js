/** Each run's number at the cursor, in words beside its name. */
import { dimensionAt, dimensionsAt } from "./dimensions.js";
import { make } from "./dom.js";
import { dimension, integer, shortPercent, significant, wholePercent } from "./numbers.js";

/** @typedef {import("./explorer.js").Explorer} Explorer */

/** @param {Explorer} explorer */
export function showReadout(explorer) {
  const lines = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#readout [data-run]"));
  for (const line of lines) {
    const value = line.querySelector(".value");
    if (value) say(value, wordsOf(explorer, Number(line.dataset.run)));
  }
  showBands(explorer);
}

/**
 * Write the words where they differ: a number that stays costs no layout.
 * @param {Element} element
 * @param {[before: string, number: string, after: string]} words
 */
function say(element, [before, number, after]) {
  if (element.textContent === before + number + after) return;
  element.replaceChildren(before, ...(number ? [make("b", number)] : []), after);
}

/**
 * @param {Explorer} explorer
 * @param {number} run
 * @returns {[string, string, string]}
 */
function wordsOf(explorer, run) {
  const { view, page, timeline, step } = explorer;
  const known = page.runs.find((one) => one.id === run);
  const target = explorer.iterationOf(run);
  if (!known?.iterations.length || target === null || step === null) return ["no snapshot yet", "", ""];
  const at = dimensionAt(explorer, run, view.layer);
  if (!at) return [explorer.dimensions.has(run) ? "has no such layer" : "–", "", ""];
  if (at.value === null) return [`${at.unit === "slope" ? "no slope" : "not measured"} at ${integer(at.iteration)}`, "", ""];
  const own = timeline.align === "progress";
  const when = own ? whenOf(at.iteration, known.total) : at.iteration === target ? "" : `at ${integer(at.iteration)}`;
  if (at.unit === "slope") return ["α = ", significant(at.value), when && `, ${when}`];
  return ["d = ", dimension(at.value), ` of ${integer(at.width)} (${wholePercent(at.value / at.width)}${when && `, ${when}`})`];
}

/**
 * @param {number} iteration
 * @param {number} total
 */
function whenOf(iteration, total) {
  return `at ${integer(iteration)}, ${shortPercent(total ? (100 * iteration) / total : 0)}`;
}

/**
 * Of runs that are drawn as one: their mean, and from where to where they reach.
 * @param {Explorer} explorer
 */
function showBands(explorer) {
  const list = document.getElementById("band-readout");
  if (!list) return;
  const bands = explorer.bands;
  list.hidden = !bands.length;
  while (list.childElementCount > bands.length) list.lastElementChild?.remove();
  bands.forEach(({ name, runs, colour }, k) => {
    const line = list.children[k] ?? list.appendChild(bandLine());
    line.className = colour;
    const [title, value] = line.querySelectorAll("span");
    title.textContent = name;
    const at = dimensionsAt(explorer, runs, explorer.view.layer);
    const slope = explorer.dimensions.get(runs[0])?.unit === "slope";
    const write = slope ? significant : dimension;
    if (at) say(value, [`mean of ${at.count}: ${slope ? "α" : "d"} = `, write(at.mean), ` (${write(at.low)} to ${write(at.high)})`]);
    else say(value, ["no run with this layer", "", ""]);
  });
}

function bandLine() {
  const line = make("li");
  line.append(make("i", "", "swatch"), make("span", "", "tag"), make("span", "", "value"));
  return line;
}
