/** One slider over snapshots, with play. Positions are indices, so that equal steps are equal snapshots. */
import { byId } from "./dom.js";

/** @typedef {import("./timeline.js").Timeline} Timeline */

const PLAY_MS = 6000;
const STEP_MS = { least: 50, most: 400 };

export class Scrubber {
  /** @param {(position: number) => void} onMove */
  constructor(onMove) {
    this.onMove = onMove;
    this.range = byId("iteration", HTMLInputElement);
    this.text = byId("iteration-text", HTMLOutputElement);
    this.button = byId("play", HTMLButtonElement);
    this.speed = byId("speed", HTMLSelectElement);
    /** @type {Timeline | null} */
    this.timeline = null;
    this.playing = false;
    this.started = { at: 0, position: 0 };
    this.range.addEventListener("input", () => this.#moved());
    this.button.addEventListener("click", () => this.toggle());
    this.speed.addEventListener("change", () => this.#start());
  }

  get position() {
    return Number(this.range.value);
  }

  get count() {
    return this.timeline?.steps.length ?? 0;
  }

  /**
   * @param {Timeline} timeline
   * @param {number} position
   */
  set(timeline, position) {
    this.timeline = timeline;
    this.range.max = String(Math.max(0, this.count - 1));
    this.range.disabled = this.button.disabled = this.count < 2;
    this.range.value = String(position);
    this.#start();
    this.#say();
  }

  /** @param {number} position */
  go(position) {
    const inside = Math.min(this.count - 1, Math.max(0, position));
    if (inside === this.position) return;
    this.range.value = String(inside);
    this.#start();
    this.#moved();
  }

  toggle() {
    if (this.playing) return this.pause();
    if (this.count < 2) return;
    if (this.position === this.count - 1) this.go(0);
    this.playing = true;
    this.#start();
    this.#label("❚❚", "Pause");
    requestAnimationFrame((now) => this.#step(now));
  }

  pause() {
    this.playing = false;
    this.#label("▶", "Play");
  }

  /** Milliseconds that one snapshot stays. */
  get #pace() {
    return Math.min(STEP_MS.most, Math.max(STEP_MS.least, PLAY_MS / this.count)) / Number(this.speed.value);
  }

  #start() {
    this.started = { at: performance.now(), position: this.position };
  }

  /**
   * Stand where the time since the start says: a slow frame leaves snapshots out, and the pace stays.
   * @param {number} now
   */
  #step(now) {
    if (!this.playing) return;
    const passed = Math.max(0, Math.floor((now - this.started.at) / this.#pace));
    const position = Math.min(this.count - 1, this.started.position + passed);
    if (position !== this.position) {
      this.range.value = String(position);
      this.#moved();
    }
    if (position === this.count - 1) return this.pause();
    requestAnimationFrame((next) => this.#step(next));
  }

  #moved() {
    this.#say();
    this.onMove(this.position);
  }

  #say() {
    const text = this.timeline?.words(this.position) ?? "no snapshot";
    this.text.textContent = text;
    this.range.setAttribute("aria-valuetext", `${this.timeline?.align === "progress" ? "" : "iteration "}${text}`);
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
