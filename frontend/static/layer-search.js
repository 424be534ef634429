/** Finds layers: words apart from each other are regular expressions, all of which have to fit. */

/** @typedef {import("./layer-picker.js").Layer} Layer */

const LONGEST = 100;
/** Ways in which one word may be tried on a name of some twenty letters; more could keep the browser busy for seconds. */
const MOST_WAYS = 10_000;
/** About so many has each repetition without end, where there are several; something that may be left out has two. */
const WAYS_OF_A_REPETITION = 10;

/**
 * @typedef {object} Search
 * @property {(layer: Layer) => boolean} fits
 * @property {(text: string) => [from: number, to: number][]} marks where a name fits, rising and apart
 * @property {string} problem why it cannot be searched for; empty where it can
 */

/**
 * @param {string} text
 * @returns {Search}
 */
export function search(text) {
  const words = text.trim().split(/\s+/).filter(Boolean);
  /** @type {RegExp[]} */
  const wanted = [];
  for (const word of words) {
    const problem = problemOf(word);
    if (problem) return { fits: () => false, marks: () => [], problem };
    wanted.push(new RegExp(word, "gi"));
  }
  const found = (/** @type {RegExp} */ one, /** @type {string} */ name) => {
    one.lastIndex = 0;
    return one.test(name);
  };
  return {
    fits: (layer) => wanted.every((one) => [layer.name, layer.stage, layer.map, layer.kind].some((name) => found(one, name))),
    marks: (name) => joined(wanted.flatMap((one) => [...name.matchAll(one)].map((hit) => spanOf(hit)))),
    problem: "",
  };
}

/**
 * @param {RegExpMatchArray} hit
 * @returns {[number, number]}
 */
function spanOf(hit) {
  const from = hit.index ?? 0;
  return [from, from + hit[0].length];
}

/** @param {[number, number][]} spans */
function joined(spans) {
  /** @type {[number, number][]} */
  const apart = [];
  for (const [from, to] of spans.filter((one) => one[1] > one[0]).sort((a, b) => a[0] - b[0])) {
    const last = apart[apart.length - 1];
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else apart.push([from, to]);
  }
  return apart;
}

/**
 * Why a word is no search; empty where it is one.
 * @param {string} word
 */
function problemOf(word) {
  if (word.length > LONGEST) return `A search has at most ${LONGEST} letters.`;
  try {
    new RegExp(word);
  } catch {
    return `"${word}" is no regular expression; a \\ before ( ) [ ] { } * + ? takes it as it is.`;
  }
  return repeatsTooMuch(word) ? `"${word}" repeats what itself repeats, and could take too long; write it simpler.` : "";
}

/**
 * Whether a word may take a time that grows without measure with a name's length: a repeated group that repeats or
 * chooses, or so many repetitions and choices one after another that they can be tried in too many ways.
 * @param {string} word
 */
function repeatsTooMuch(word) {
  const plain = word.replace(/\\./g, "_").replace(/\[[^\]]*\]/g, "_");
  /** @type {{ varied: boolean, choices: number }[]} of each open group: whether it repeats or chooses, among how many */
  const groups = [];
  const outside = { varied: false, choices: 1 };
  let ways = 1;
  for (let k = 0; k < plain.length; k++) {
    const letter = plain[k];
    const group = groups[groups.length - 1] ?? outside;
    const before = plain[k - 1] ?? "(";
    if (letter === "(") groups.push({ varied: false, choices: 1 });
    else if (letter === ")") {
      groups.pop();
      if (group.varied && "*+{".includes(plain[k + 1] ?? " ")) return true;
      ways *= group.choices;
      if (group.varied && groups.length) groups[groups.length - 1].varied = true;
    } else if ("*+{".includes(letter)) {
      ways *= WAYS_OF_A_REPETITION;
      group.varied = true;
    } else if (letter === "?" && before !== "(") {
      // After another repetition it only says which way is tried first.
      if (!"*+?}".includes(before)) ways *= 2;
      group.varied = true;
    } else if (letter === "|") {
      group.choices++;
      group.varied = true;
    }
  }
  return ways * outside.choices > MOST_WAYS;
}
