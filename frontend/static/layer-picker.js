/** Chooses the layer under the cursor, and any number to show beside each other: a search over a tree. */
import { byId } from "./dom.js";
import { search } from "./layer-search.js";
import { packed, unpacked } from "./layer-set.js";
import { LayerTree } from "./layer-tree.js";

/**
 * @typedef {object} Layer
 * @property {string} name
 * @property {string} stage
 * @property {string} block empty where it stands right below its stage
 * @property {string} map
 * @property {string} kind the map in words
 * @property {string} note
 * @property {number} width
 * @property {number[]} runs ids of those that have it
 */

export class LayerPicker {
  /**
   * @param {(name: string) => void} onPick
   * @param {(layers: {names: string[], text: string}) => void} onChoose
   */
  constructor(onPick, onChoose) {
    this.onPick = onPick;
    this.onChoose = onChoose;
    this.field = byId("layer-field", HTMLElement);
    this.input = byId("layer", HTMLInputElement);
    this.panel = byId("layer-panel", HTMLElement);
    this.all = byId("layer-all", HTMLButtonElement);
    this.none = byId("layer-none", HTMLButtonElement);
    this.count = byId("layer-count", HTMLButtonElement);
    this.tree = new LayerTree(byId("layer-tree", HTMLElement), {
      pick: (name) => this.#pick(name),
      tick: (names, on) => this.#tick(names, on),
      leave: (key) => this.#leave(key),
    });
    /** @type {Layer[]} */
    this.layers = [];
    this.value = "";
    this.text = "";
    /** @type {Set<string>} */
    this.chosen = new Set();
    this.input.addEventListener("focus", () => this.#open());
    this.input.addEventListener("input", () => this.#searched(this.input.value));
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.all.addEventListener("click", () => this.#tick(this.#found().map((layer) => layer.name), true));
    this.none.addEventListener("click", () => this.#tick([...this.chosen], false));
    this.count.addEventListener("click", () => this.focus());
    // Ticking may have taken the focus anywhere inside it, or nowhere.
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.panel.hidden) return;
      event.preventDefault();
      this.#leave("Escape");
    });
    this.field.addEventListener("focusout", (event) => {
      const next = event.relatedTarget;
      if (!(next instanceof Node) || !this.field.contains(next)) this.#close();
    });
  }

  /**
   * @param {Layer[]} layers
   * @param {string} value the one under the cursor
   * @param {string} [packedNames] those shown beside each other, where the URL says so
   * @returns {string[]} their names
   */
  set(layers, value, packedNames) {
    this.layers = layers;
    if (packedNames !== undefined) ({ chosen: this.chosen, text: this.text } = unpacked(layers, packedNames));
    this.choose(value);
    this.#say();
    return this.#names();
  }

  /** @param {string} value */
  choose(value) {
    this.value = value;
    if (this.panel.hidden) this.input.value = value;
  }

  focus() {
    this.input.focus();
    this.input.select();
  }

  #names() {
    return this.layers.filter((layer) => this.chosen.has(layer.name)).map((layer) => layer.name);
  }

  #found() {
    return this.layers.filter(search(this.text).fits);
  }

  #open() {
    if (!this.panel.hidden) return;
    this.panel.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.input.value = this.text;
    this.input.placeholder = this.value;
    this.#searched(this.text);
    this.input.select();
    this.tree.scrollToCurrent();
  }

  #close() {
    this.panel.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.value = this.value;
  }

  /** @param {string} text */
  #searched(text) {
    this.text = text;
    const { fits, marks, problem } = search(text);
    const layers = problem ? [] : this.layers.filter(fits);
    const runs = new Set(this.layers.flatMap((layer) => layer.runs)).size;
    this.tree.show({ layers, ticked: this.chosen, current: this.value, marks, searched: text.trim() !== "", runs });
    this.input.setAttribute("aria-invalid", String(problem !== ""));
    this.#say();
  }

  #say() {
    const { problem } = search(this.text);
    const found = problem ? 0 : this.#found().length;
    const status = byId("layer-found", HTMLElement);
    status.classList.toggle("problem", problem !== "");
    status.textContent = problem || (this.text.trim() ? `${found} of ${this.layers.length} layers fit` : `${this.layers.length} layers`);
    this.all.disabled = !found;
    this.all.textContent = this.text.trim() ? `Tick these ${found}` : "Tick all";
    this.none.disabled = !this.chosen.size;
    this.count.hidden = !this.chosen.size;
    this.count.textContent = `${this.chosen.size} ticked`;
  }

  /**
   * @param {string[]} names
   * @param {boolean} on
   */
  #tick(names, on) {
    for (const name of names) {
      if (on) this.chosen.add(name);
      else this.chosen.delete(name);
    }
    this.tree.retick();
    this.#say();
    this.onChoose({ names: this.#names(), text: packed(this.layers, this.chosen, this.text) });
  }

  /** @param {string | undefined} name */
  #pick(name) {
    if (!name) return;
    this.text = "";
    this.value = name;
    this.#close();
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    this.onPick(name);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === "ArrowDown") this.tree.focus();
    else if (event.key === "Enter" && event.shiftKey) this.all.click();
    else if (event.key === "Enter") this.#pick(this.text.trim() ? this.tree.first : this.value);
    else if (event.key === "Escape") this.#leave("Escape");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {string} key with which the tree was left */
  #leave(key) {
    if (key !== "Escape") return this.input.focus();
    this.text = "";
    this.#close();
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  }
}
