/** What the page has asked the server for: dimensionalities of all layers, spectra of the one under the cursor. */
import { getJson } from "./api.js";
import { toast } from "./dom.js";
import { Loading } from "./loading.js";
import { knownSpectra, spectraOf } from "./spectra.js";

/** @typedef {import("./page-view.js").Dimensions} Dimensions */

export class Measured {
  /** @param {import("./explorer.js").Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    /** @type {Map<number, Dimensions>} by run */
    this.dimensions = new Map();
    this.loading = new Loading(explorer);
    /** Whether all snapshots of the layer under the cursor are asked for, so that it can move. */
    this.wanted = false;
  }

  async loadDimensions() {
    const { criterion, threshold } = this.explorer.view;
    const query = new URLSearchParams(threshold ? { criterion, threshold } : { criterion });
    try {
      const answers = await Promise.all(
        this.explorer.page.runs.map(async (run) => ({ run, found: await getJson(`/runs/${run.id}/dimensions?${query}`) })),
      );
      if (criterion !== this.explorer.view.criterion || threshold !== this.explorer.view.threshold) return;
      for (const { run, found } of answers) this.dimensions.set(run.id, found);
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), "error");
    }
  }

  /**
   * The runs that have a layer and have measured it. A run of another network need not have this layer: its line is
   * then missing, and its readout says so.
   * @param {string} layer
   */
  holders(layer) {
    const ids = this.explorer.page.layers.find((one) => one.name === layer)?.runs ?? [];
    return this.explorer.page.runs.filter((run) => run.iterations.length && ids.includes(run.id));
  }

  /**
   * Fetch all snapshots as soon as a hand nears what moves the cursor: many who open a page never move it.
   * @param {HTMLElement[]} near
   */
  watch(near) {
    const want = () => this.want();
    for (const element of near) for (const kind of ["pointerenter", "focusin"]) element.addEventListener(kind, want);
    document.addEventListener("keydown", want);
  }

  /** Fetch all snapshots, if they have not been asked for yet. */
  want() {
    if (this.wanted) return;
    this.wanted = true;
    void this.loadSpectra().then(() => this.explorer.redraw());
  }

  async loadSpectra() {
    if (!this.wanted) return;
    const { layer } = this.explorer.view;
    const runs = this.holders(layer);
    this.loading.start(runs.filter((run) => !knownSpectra(run.id, layer)));
    const found = await Promise.allSettled(
      runs.map((run) => spectraOf(run.id, layer, (got, of) => this.loading.arrived(layer, run.id, got, of))),
    );
    if (layer !== this.explorer.view.layer) return;
    this.loading.end();
    for (const one of found) if (one.status === "rejected") toast(one.reason.message, "error");
  }
}
