/** Says how much of the chosen layer's spectra has come: "loading 120 of 200 snapshots". */

import { integer } from "./numbers.js";

/** @typedef {import("./explorer.js").Explorer} Explorer */

export class Loading {
  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    /** @type {Map<number, {got: number, of: number}>} by run */
    this.parts = new Map();
  }

  /** @param {import("./explorer.js").ViewRun[]} runs whose spectra have yet to come */
  start(runs) {
    this.parts = new Map(runs.map((run) => [run.id, { got: 0, of: run.iterations.length }]));
    this.#say();
  }

  /**
   * @param {string} layer
   * @param {number} run
   * @param {number} got
   * @param {number} of
   */
  arrived(layer, run, got, of) {
    if (layer !== this.explorer.view.layer || !this.parts.has(run)) return;
    this.parts.set(run, { got, of });
    this.#say();
  }

  end() {
    this.parts.clear();
    this.#say();
  }

  /** What of every run is here; empty once all is. */
  get words() {
    let [got, of] = [0, 0];
    for (const part of this.parts.values()) {
      got += part.got;
      of += part.of;
    }
    return of && got < of ? `loading ${integer(got)} of ${integer(of)} snapshots` : "";
  }

  #say() {
    const { words } = this;
    document.getElementById("cursor")?.setAttribute("aria-busy", String(words !== ""));
    for (const chart of this.explorer.charts) if (chart.figure === "spectrum") chart.note(this.explorer.noteOfLayer());
  }
}
