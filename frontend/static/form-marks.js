/** What the form says that its source (a run, a preset, the defaults) does not: marked, counted, and reset. */
import { byId } from "./dom.js";
import { at, datasetOf, fieldsOf, initOf, setInit, setValue, textOf, valueOf } from "./form-values.js";

/** @typedef {{base: Record<string, any>, defaults: Record<string, any>, words: string}} Marks */

/**
 * Keep the marks of a form; returns what draws them anew.
 * @param {HTMLFormElement} form
 * @param {Marks} marks
 * @param {() => void} changed called after a reset
 */
export function keepMarks(form, marks, changed) {
  const all = markable(form, marks);
  for (const one of all) {
    one.place.querySelector(".reset")?.addEventListener("click", () => {
      one.reset();
      changed();
      /** @type {HTMLElement | null} */ (one.place.querySelector("input, select"))?.focus();
    });
  }
  byId("reset-all", HTMLButtonElement).addEventListener("click", () => {
    for (const one of all) if (one.differs()) one.reset();
    changed();
  });
  return () => draw(all, marks.words);
}

/**
 * @typedef {{place: HTMLElement, differs: () => boolean, was: string, reset: () => void}} Markable
 * @param {HTMLFormElement} form
 * @param {Marks} marks
 * @returns {Markable[]}
 */
function markable(form, { base, defaults }) {
  const fields = fieldsOf(form).map((place) => {
    const path = place.dataset.path ?? "";
    const before = at(base, path);
    const untouched = valueOf(place) === undefined ? undefined : before;
    return {
      place,
      // An input that is left empty means the default.
      differs: () => !same(valueOf(place) ?? emptied(place, at(defaults, path)), before),
      was: words(before),
      reset: () => setValue(place, untouched),
    };
  });
  const init = /** @type {HTMLElement} */ (form.querySelector("[data-path=init]"));
  fields.push({
    place: init,
    differs: () => !same(compact(initOf(form)), compact(base.init)),
    was: words(base.init),
    reset: () => setInit(form, base.init),
  });
  const dataset = datasetOf(form);
  if (dataset && base.dataset_id !== undefined) {
    const known = [...dataset.options].find((one) => one.value === String(base.dataset_id));
    fields.push({
      place: /** @type {HTMLElement} */ (dataset.closest("[data-path]")),
      differs: () => dataset.value !== String(base.dataset_id),
      was: known?.text.replace(/ \(.*/, "") ?? `dataset ${base.dataset_id}`,
      reset: () => void (dataset.value = String(base.dataset_id)),
    });
  }
  return fields;
}

/**
 * @param {Markable[]} all
 * @param {string} source
 */
function draw(all, source) {
  let count = 0;
  for (const { place, differs, was } of all) {
    const marked = differs();
    count += Number(marked);
    place.classList.toggle("changed", marked);
    const line = /** @type {HTMLElement | null} */ (place.querySelector(".was"));
    if (!line) continue;
    line.hidden = !marked;
    /** @type {HTMLElement} */ (place.querySelector(".default")).hidden = marked;
    /** @type {HTMLElement} */ (line.querySelector(".was-words")).textContent = `changed, was ${was}`;
  }
  byId("changes", HTMLElement).hidden = !count;
  byId("changes-count", HTMLElement).textContent = `${count} ${count === 1 ? "change" : "changes"} from ${source}`;
}

/**
 * @param {HTMLElement} place
 * @param {unknown} byDefault
 */
function emptied(place, byDefault) {
  return "nullable" in place.dataset ? null : byDefault;
}

/** @param {unknown} value */
function words(value) {
  if (value === true) return "on";
  if (value === false) return "off";
  if (value && typeof value === "object" && "kind" in value) {
    const { kind, run_id, iteration, file } = /** @type {Record<string, any>} */ (value);
    if (kind === "run") return `run ${run_id}${iteration === null ? "" : ` at ${iteration}`}`;
    return kind === "file" ? file : kind === "imagenet" ? "ImageNet" : "scratch";
  }
  return textOf(value) || "empty";
}

/** @param {Record<string, any>} init */
function compact(init) {
  return Object.fromEntries(Object.entries(init).filter(([, value]) => value !== null));
}

/**
 * @param {any} one
 * @param {any} other
 * @returns {boolean}
 */
function same(one, other) {
  if (one === other) return true;
  if (!one || !other || typeof one !== "object" || typeof other !== "object") return false;
  const keys = Object.keys(one);
  // The order of names in a map means nothing; that of a list is in its keys.
  return keys.length === Object.keys(other).length && keys.every((key) => key in other && same(one[key], other[key]));
}
