/** Chooses a layer: type to search, arrows to move, grouped by stage. */
import { make } from "./dom.js";

/** @typedef {{name: string, stage: string, map: string, kind: string, note: string, width: number, runs: number[]}} Layer kind: the map in words; runs: ids of those that have it */

export class LayerPicker {
  /**
   * @param {HTMLInputElement} input a combobox
   * @param {HTMLElement} list its listbox
   * @param {(name: string) => void} onPick
   */
  constructor(input, list, onPick) {
    this.input = input;
    this.list = list;
    this.onPick = onPick;
    /** @type {Layer[]} */
    this.layers = [];
    this.value = "";
    this.active = 0;
    input.addEventListener("focus", () => this.#open(""));
    input.addEventListener("input", () => this.#open(input.value));
    input.addEventListener("blur", () => this.#close());
    input.addEventListener("keydown", (event) => this.#key(event));
    list.addEventListener("pointerdown", (event) => this.#press(event));
  }

  /**
   * @param {Layer[]} layers
   * @param {string} value
   */
  set(layers, value) {
    this.layers = layers;
    this.value = value;
    if (document.activeElement !== this.input) this.input.value = value;
  }

  focus() {
    this.input.focus();
    this.input.select();
  }

  /** @param {string} text */
  #open(text) {
    if (text === "") this.input.select();
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (/** @type {Layer} */ layer) => {
      const searched = `${layer.name} ${layer.stage} ${layer.map} ${layer.kind}`.toLowerCase();
      return words.every((word) => searched.includes(word));
    };
    const found = this.layers.filter(fits);
    this.active = Math.max(0, text ? 0 : found.findIndex((layer) => layer.name === this.value));
    this.list.replaceChildren(...this.#lines(found));
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.#mark();
  }

  /** @param {Layer[]} found */
  #lines(found) {
    const lines = [];
    let stage = "";
    for (const layer of found) {
      if (layer.stage !== stage) lines.push(make("li", (stage = layer.stage), "stage"));
      const line = make("li", layer.name);
      line.setAttribute("role", "option");
      line.id = `layer-option-${lines.length}`;
      line.dataset.name = layer.name;
      line.append(make("small", `${layer.kind} ${layer.width}${layer.note ? ", of proposals" : ""}`));
      lines.push(line);
    }
    if (!found.length) lines.push(make("li", "No layer fits.", "stage"));
    return lines;
  }

  #options() {
    return /** @type {HTMLElement[]} */ ([...this.list.querySelectorAll("[role=option]")]);
  }

  #mark() {
    this.#options().forEach((line, k) => {
      line.setAttribute("aria-selected", String(k === this.active));
      if (k !== this.active) return;
      this.input.setAttribute("aria-activedescendant", line.id);
      line.scrollIntoView({ block: "nearest" });
    });
  }

  #close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.value = this.value;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const options = this.#options();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.active = Math.min(options.length - 1, Math.max(0, this.active + step));
      this.#mark();
    } else if (event.key === "Enter") this.#pick(options[this.active]);
    else if (event.key === "Escape") this.input.blur();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {PointerEvent} event */
  #press(event) {
    event.preventDefault();
    const line = event.target instanceof Element ? event.target.closest("[role=option]") : null;
    if (line instanceof HTMLElement) this.#pick(line);
  }

  /** @param {HTMLElement | undefined} line */
  #pick(line) {
    if (!line?.dataset.name) return;
    this.value = line.dataset.name;
    this.input.blur();
    this.onPick(this.value);
  }
}
