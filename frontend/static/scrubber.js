/** One slider over snapshots, with play. Positions are indices, so that equal steps are equal snapshots. */
import { byId } from "./dom.js";
import { integer } from "./numbers.js";

const PLAY_MS = 6000;
const STEP_MS = { least: 50, most: 400 };

export class Scrubber {
  /** @param {(position: number) => void} onMove */
  constructor(onMove) {
    this.onMove = onMove;
    this.range = byId("iteration", HTMLInputElement);
    this.text = byId("iteration-text", HTMLOutputElement);
    this.button = byId("play", HTMLButtonElement);
    /** @type {number[]} */
    this.iterations = [];
    /** @type {number | undefined} */
    this.timer = undefined;
    this.range.addEventListener("input", () => this.#moved());
    this.button.addEventListener("click", () => this.toggle());
  }

  get position() {
    return Number(this.range.value);
  }

  /**
   * @param {number[]} iterations rising
   * @param {number} position
   */
  set(iterations, position) {
    this.iterations = iterations;
    this.range.max = String(Math.max(0, iterations.length - 1));
    this.range.disabled = this.button.disabled = iterations.length < 2;
    this.range.value = String(position);
    this.#say();
  }

  /** @param {number} position */
  go(position) {
    const inside = Math.min(this.iterations.length - 1, Math.max(0, position));
    if (inside === this.position) return;
    this.range.value = String(inside);
    this.#moved();
  }

  toggle() {
    if (this.timer !== undefined) return this.pause();
    if (this.iterations.length < 2) return;
    if (this.position === this.iterations.length - 1) this.go(0);
    const pace = Math.min(STEP_MS.most, Math.max(STEP_MS.least, PLAY_MS / this.iterations.length));
    this.timer = window.setInterval(() => this.#step(), pace);
    this.#label("❚❚", "Pause");
  }

  pause() {
    clearInterval(this.timer);
    this.timer = undefined;
    this.#label("▶", "Play");
  }

  #step() {
    if (this.position >= this.iterations.length - 1) return this.pause();
    this.go(this.position + 1);
  }

  #moved() {
    this.#say();
    this.onMove(this.position);
  }

  #say() {
    const { iterations } = this;
    const last = iterations[iterations.length - 1];
    const text = iterations.length ? `${integer(iterations[this.position])} of ${integer(last)}` : "no snapshot";
    this.text.textContent = text;
    this.range.setAttribute("aria-valuetext", `iteration ${text}`);
  }

  /**
   * @param {string} sign
   * @param {string} word
   */
  #label(sign, word) {
    this.button.textContent = sign;
    this.button.setAttribute("aria-label", word);
  }
}
