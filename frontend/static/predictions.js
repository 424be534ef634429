/** Images of the validation split with what is there and what was found at one of the last evaluations. */
import { getJson } from "./api.js";
import { byId, make, toast } from "./dom.js";
import { integer } from "./numbers.js";

/** @typedef {{bbox: [number, number, number, number], category_id: number, outlines: number[][] | null, score?: number}} Thing */
/** @typedef {{image_id: number, file_name: string, width: number, height: number, objects: number, truth: Thing[], found: Thing[]}} Picture */
/**
 * @typedef {object} Answer
 * @property {number[]} iterations
 * @property {number | null} iteration
 * @property {number} dataset_id
 * @property {string} split
 * @property {{id: number, name: string}[]} categories
 * @property {Picture[]} images
 */

const SVG = "http://www.w3.org/2000/svg";
const SIZE = 640;

export class Predictions {
  /** @param {number} run */
  constructor(run) {
    this.run = run;
    this.section = byId("predictions", HTMLElement);
    this.pictures = byId("predictions-pictures", HTMLElement);
    this.chosen = byId("predictions-iteration", HTMLSelectElement);
    this.score = byId("predictions-score", HTMLInputElement);
    this.shape = byId("predictions-shape", HTMLElement);
    /** @type {Answer | null} */
    this.answer = null;
    this.chosen.addEventListener("change", () => this.#load(Number(this.chosen.value)));
    this.note = byId("predictions-note", HTMLElement);
    /** Whether a person has chosen the score: then it stays. */
    this.scored = false;
    this.score.addEventListener("input", () => {
      this.scored = true;
      this.note.hidden = true;
      this.#draw();
    });
    this.shape.addEventListener("change", () => this.#draw());
  }

  /** Show the newest evaluation, unless an earlier one is being looked at; a page that waits for one shows nothing. */
  async refresh() {
    const before = this.answer;
    const following = !before || before.iteration === before.iterations[before.iterations.length - 1];
    const newest = /** @type {Answer} */ (await getJson(`/runs/${this.run}/predictions`));
    const same = before && String(before.iterations) === String(newest.iterations);
    if (same || newest.iteration === null) return;
    if (following || !newest.iterations.includes(before.iteration ?? -1)) this.#show(newest);
    else this.#offer({ ...before, iterations: newest.iterations });
  }

  /** @param {number} iteration */
  async #load(iteration) {
    try {
      this.#show(await getJson(`/runs/${this.run}/predictions?iteration=${iteration}`));
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), "error");
    }
  }

  /** @param {Answer} answer */
  #show(answer) {
    this.#offer(answer);
    const masks = answer.images.some((one) => [...one.truth, ...one.found].some((thing) => thing.outlines));
    this.shape.hidden = !masks;
    this.section.hidden = false;
    if (!this.scored) this.#startBelowTheBest(answer);
    this.#draw();
  }

  /**
   * Let the person choose among the evaluations that are kept.
   * @param {Answer} answer
   */
  #offer(answer) {
    this.answer = answer;
    this.chosen.replaceChildren(
      ...answer.iterations.map((one) => new Option(integer(one), String(one), false, one === answer.iteration)),
    );
  }

  /**
   * A young run is sure of nothing: begin where something of what it found is shown.
   * @param {Answer} answer
   */
  #startBelowTheBest(answer) {
    const usual = Number(this.score.defaultValue);
    const scores = answer.images.flatMap((one) => one.found.map(({ score }) => score ?? 0));
    const best = Math.max(0, ...scores);
    const low = scores.length > 0 && best < usual;
    // A step or more below the best, so that more than one is seen.
    const step = Number(this.score.step);
    const start = low ? Math.max(0, (Math.ceil(best / step - 1e-9) - 2) * step) : usual;
    this.score.value = String(start);
    this.note.hidden = !low;
    this.note.textContent = low ? `No score reaches ${usual.toFixed(2)}; shown from ${start.toFixed(2)}, the best is ${best.toFixed(2)}.` : "";
  }

  #draw() {
    if (!this.answer) return;
    const { answer } = this;
    const least = Number(this.score.value);
    byId("predictions-score-text", HTMLOutputElement).textContent = least.toFixed(2);
    const masks = !this.shape.hidden && this.shape.querySelector("input:checked")?.getAttribute("value") === "masks";
    const names = new Map(answer.categories.map(({ id, name }) => [id, name]));
    for (const one of answer.images) {
      const figure = this.#figure(answer, one);
      const found = one.found.filter(({ score }) => (score ?? 0) >= least);
      const caption = figure.querySelector("figcaption span:last-child");
      const best = one.found[0]?.score;
      const instead = found.length || best === undefined ? "" : `, the best ${best.toFixed(2)}`;
      const part = one.objects > one.truth.length ? ` (${one.truth.length} shown)` : "";
      const text = `${integer(one.objects)} there${part}, ${found.length} found${instead}`;
      if (caption) caption.textContent = text;
      figure.querySelector("svg")?.replaceChildren(
        ...one.truth.map((thing) => shape(thing, "there", masks, nameOf(names, thing))),
        ...[...found].reverse().map((thing) => shape(thing, "found", masks, nameOf(names, thing))),
      );
      figure.dataset.text = text;
    }
    const shown = new Set(answer.images.map(({ image_id }) => String(image_id)));
    for (const figure of /** @type {NodeListOf<HTMLElement>} */ (this.pictures.querySelectorAll("figure"))) {
      if (!shown.has(figure.dataset.image ?? "")) figure.remove();
    }
  }

  /**
   * Return the figure of an image, made where it is not there yet: an image is fetched once.
   * @param {Answer} answer
   * @param {Picture} one
   * @returns {HTMLElement}
   */
  #figure(answer, one) {
    const there = this.pictures.querySelector(`figure[data-image="${one.image_id}"]`);
    if (there instanceof HTMLElement) return there;
    const figure = make("figure", "", "picture");
    figure.dataset.image = String(one.image_id);
    const image = new Image(one.width, one.height);
    image.loading = "lazy";
    image.alt = `${one.file_name} of the validation split`;
    image.addEventListener("error", () => image.classList.add("gone"));
    image.src = `/api/v1/datasets/${answer.dataset_id}/images/${answer.split}/${one.image_id}?size=${SIZE}`;
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${one.width} ${one.height}`);
    const frame = make("div");
    frame.append(image, svg);
    const name = make("span", one.file_name.split("/").pop());
    name.title = one.file_name;
    const caption = make("figcaption");
    const words = make("span");
    caption.append(name, words);
    figure.append(frame, caption);
    svg.addEventListener("pointerover", ({ target }) => {
      const title = target instanceof Element ? target.getAttribute("aria-label") : null;
      words.classList.toggle("pointed", title !== null);
      words.textContent = title ?? figure.dataset.text ?? "";
    });
    svg.addEventListener("pointerleave", () => {
      words.classList.remove("pointed");
      words.textContent = figure.dataset.text ?? "";
    });
    this.pictures.append(figure);
    return figure;
  }
}

/**
 * @param {Map<number, string>} names
 * @param {Thing} thing
 */
function nameOf(names, thing) {
  const name = names.get(thing.category_id) ?? `category ${thing.category_id}`;
  return thing.score === undefined ? `${name}, there` : `${name} ${thing.score.toFixed(2)}`;
}

/**
 * Draw one object: its outline where masks are shown and it has one, else its box; below it the rim.
 * @param {Thing} thing
 * @param {"there" | "found"} kind
 * @param {boolean} masks
 * @param {string} title
 */
function shape(thing, kind, masks, title) {
  const group = document.createElementNS(SVG, "g");
  group.setAttribute("class", kind);
  for (const part of ["rim", ""]) {
    const drawn = masks && thing.outlines ? outline(thing.outlines) : box(thing.bbox);
    if (part) drawn.setAttribute("class", part);
    else {
      drawn.setAttribute("role", "img");
      drawn.setAttribute("aria-label", title);
    }
    group.append(drawn);
  }
  return group;
}

/** @param {[number, number, number, number]} bbox */
function box([x, y, width, height]) {
  const rect = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ x, y, width, height })) rect.setAttribute(name, String(value));
  return rect;
}

/** @param {number[][]} polygons */
function outline(polygons) {
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", polygons.map((points) => `M${points.join(" ")}Z`).join(""));
  return path;
}
