/** A threshold on a log scale: a slider and a number that follow each other. */
import { byId } from "./dom.js";

/** A share nearer to all than this moves by what it leaves out. */
const SHARE = 0.5;

export class ThresholdSlider {
  /** @param {() => void} onMove */
  constructor(onMove) {
    this.select = byId("k-c", HTMLSelectElement);
    this.input = byId("k-t", HTMLInputElement);
    this.range = byId("slide", HTMLInputElement);
    this.select.addEventListener("change", () => this.#offer());
    this.input.addEventListener("input", () => this.#follow());
    this.range.addEventListener("input", () => {
      this.input.value = this.#at(Number(this.range.value) / Number(this.range.max));
      this.#say();
      onMove();
    });
    this.#follow();
  }

  get #option() {
    return this.select.options[this.select.selectedIndex];
  }

  /** The criterion's own threshold, as text; empty where it has none. */
  get own() {
    return this.#option.dataset.threshold ?? "";
  }

  /** @returns {[number, number] | null} */
  get #ends() {
    const ends = (this.#option.dataset.ends ?? "").split(" ").filter(Boolean).map(Number);
    return ends.length === 2 ? [ends[0], ends[1]] : null;
  }

  get #leftOut() {
    return Number(this.own) > SHARE && this.#ends !== null && this.#ends[0] > this.#ends[1];
  }

  #offer() {
    this.input.value = this.own;
    this.select.title = this.#option.dataset.about ?? "";
    this.#follow();
  }

  /** @param {number} share of the slider's way */
  #at(share) {
    const [from, to] = this.#ends ?? [1, 1];
    const place = from * (to / from) ** share;
    return String(this.#leftOut ? complement(place) : Number(place.toPrecision(3)));
  }

  #follow() {
    const ends = this.#ends;
    this.input.disabled = this.range.disabled = ends === null;
    if (!ends) return;
    const value = Number(this.input.value || this.own);
    const place = this.#leftOut ? 1 - value : value;
    if (!(place > 0)) return;
    const share = Math.log(place / ends[0]) / Math.log(ends[1] / ends[0]);
    this.range.value = String(Math.round(Math.min(1, Math.max(0, share)) * Number(this.range.max)));
    this.#say();
  }

  #say() {
    this.range.setAttribute("aria-valuetext", this.input.value);
  }
}

/**
 * 1 − `place`, written with as many digits as two of `place` need: 0.9987.
 * @param {number} place
 */
function complement(place) {
  return Number((1 - place).toFixed(Math.max(2, 1 - Math.floor(Math.log10(place)))));
}
