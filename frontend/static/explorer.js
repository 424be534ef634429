/** One cursor (layer, iteration) and one criterion move through all charts of a page. */
import { readView, writeView } from "./address.js";
import { getJson } from "./api.js";
import { pageCharts } from "./charts.js";
import { CriterionControl } from "./criterion.js";
import { byId, toast } from "./dom.js";
import { attachKeys } from "./keys.js";
import { LayerPicker } from "./layer-picker.js";
import { placeCursor, pointed } from "./marks.js";
import { lastAt } from "./numbers.js";
import { showReadout } from "./readout.js";
import { Scrubber } from "./scrubber.js";
import { forgetSpectra, spectraOf } from "./spectra.js";
import { drawDepth, drawSpectrum } from "./updates.js";

/** @typedef {import("./charts.js").Chart} Chart */
/** @typedef {import("./layer-picker.js").Layer} Layer */
/** @typedef {import("./spectra.js").Block} Block */
/** @typedef {{id: number, name: string, iterations: number[], live: boolean}} ViewRun */
/** @typedef {{runs: ViewRun[], iterations: number[], layers: Layer[]}} PageView what the server says of the runs */
/**
 * @typedef {object} Dimensions
 * @property {string[]} layers
 * @property {number[]} iterations
 * @property {number[]} widths
 * @property {(number | null)[][]} values
 * @property {number | null} threshold
 * @property {"dimensions" | "slope"} unit
 */

const DEPTH_EVERY_MS = 120;
/** While a run trains, its losses are fetched no more often: the machine that draws may be the one that trains. */
const METRICS_EVERY_MS = 4000;

export class Explorer {
  /** @param {PageView} page */
  constructor(page) {
    this.page = page;
    const asked = readView();
    /** @type {import("./charts.js").View} */
    this.view = {
      layer: page.layers.some((one) => one.name === asked.layer) ? String(asked.layer) : firstLayer(page.layers),
      iteration: asked.iteration ?? null,
      criterion: asked.criterion ?? "absolute",
      threshold: asked.threshold ?? "",
    };
    /** @type {Map<number, Dimensions>} */
    this.dimensions = new Map();
    /** @type {Map<number, Block>} of the chosen layer */
    this.blocks = new Map();
    /** Called when another criterion or threshold is chosen, which the server's cautions depend on. */
    this.onCriterion = () => {};
    this.frame = 0;
    this.metricsShown = performance.now();
    this.depthDrawn = 0;
    /** @type {number | undefined} */
    this.depthLater = undefined;
    this.scrubber = new Scrubber((position) => this.#scrubbed(position));
    this.picker = new LayerPicker(byId("layer", HTMLInputElement), byId("layer-list", HTMLElement), (name) =>
      this.setLayer(name),
    );
    this.criterion = new CriterionControl((criterion, threshold) => this.#setCriterion(criterion, threshold));
    this.criterion.set(this.view.criterion, this.view.threshold);
    this.view.criterion = this.criterion.criterion;
    this.view.threshold = this.criterion.threshold;
    this.charts = pageCharts();
    for (const chart of this.charts) {
      chart.onDrawn = () => this.#drawn(chart);
      chart.onClick = (_, point) => this.#clicked(chart, point);
    }
    document.addEventListener("themechange", () => this.charts.forEach((chart) => chart.show(this.view)));
    attachKeys(this);
    this.#controls();
  }

  async start() {
    this.charts.forEach((chart) => chart.show(this.view));
    await Promise.all([this.#loadDimensions(), this.#loadSpectra()]);
    this.redraw();
  }

  /** The iteration under the cursor; null while nothing has been measured. */
  get iteration() {
    return this.page.iterations.length ? this.page.iterations[this.scrubber.position] : null;
  }

  #controls() {
    const { iterations, layers } = this.page;
    const at = this.view.iteration === null ? iterations.length - 1 : lastAt(iterations, this.view.iteration);
    this.scrubber.set(iterations, Math.max(0, at));
    this.picker.set(layers, this.view.layer);
  }

  async #loadDimensions() {
    const { criterion, threshold } = this.view;
    const query = new URLSearchParams(threshold ? { criterion, threshold } : { criterion });
    try {
      const answers = await Promise.all(
        this.page.runs.map(async (run) => ({ run, found: await getJson(`/runs/${run.id}/dimensions?${query}`) })),
      );
      if (criterion !== this.view.criterion || threshold !== this.view.threshold) return;
      for (const { run, found } of answers) this.dimensions.set(run.id, found);
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), "error");
    }
  }

  async #loadSpectra() {
    const { layer } = this.view;
    // A run of another network need not have this layer: its line is then missing, and its readout says so.
    const holders = this.page.layers.find((one) => one.name === layer)?.runs ?? [];
    const measured = this.page.runs.filter((run) => run.iterations.length && holders.includes(run.id));
    const found = await Promise.allSettled(measured.map((run) => spectraOf(run.id, layer)));
    if (layer !== this.view.layer) return;
    for (const one of found) if (one.status === "rejected") toast(one.reason.message, "error");
    this.blocks.clear();
    found.forEach((one, k) => one.status === "fulfilled" && this.blocks.set(measured[k].id, one.value));
  }

  /** @param {string} name */
  async setLayer(name) {
    if (name === this.view.layer) return;
    this.view.layer = name;
    this.picker.set(this.page.layers, name);
    writeView(this.view);
    const concerned = this.charts.filter((chart) => chart.needs.has("layer"));
    await Promise.all([this.#loadSpectra(), ...concerned.map((chart) => chart.show(this.view))]);
    this.redraw();
  }

  /** @param {number} by */
  stepLayer(by) {
    const { layers } = this.page;
    const at = layers.findIndex((layer) => layer.name === this.view.layer);
    const next = layers[at + by];
    if (next) this.setLayer(next.name);
  }

  /**
   * @param {string} criterion
   * @param {string} threshold
   */
  async #setCriterion(criterion, threshold) {
    Object.assign(this.view, { criterion, threshold });
    writeView(this.view);
    this.onCriterion();
    const concerned = this.charts.filter((chart) => chart.needs.has("criterion"));
    await Promise.all([this.#loadDimensions(), ...concerned.map((chart) => chart.show(this.view))]);
    this.redraw();
  }

  /** @param {number} position */
  #scrubbed(position) {
    this.view.iteration = this.page.iterations[position];
    writeView(this.view);
    this.redraw();
  }

  /**
   * Take over what the runs have measured since; a cursor at the end stays at the end.
   * @param {PageView} page
   */
  async extend(page) {
    const atEnd = this.scrubber.position === this.page.iterations.length - 1 || !this.page.iterations.length;
    const here = this.iteration;
    const grown = page.runs.filter((run, k) => run.iterations.length !== this.page.runs[k]?.iterations.length);
    const ended = page.runs.some((run, k) => run.live !== this.page.runs[k]?.live);
    this.page = page;
    if (ended || performance.now() - this.metricsShown > METRICS_EVERY_MS) this.#showMetrics();
    if (!grown.length) return;
    grown.forEach((run) => forgetSpectra(run.id));
    if (!this.view.layer) this.view.layer = firstLayer(page.layers);
    this.view.iteration = atEnd ? null : here;
    this.#controls();
    const concerned = this.charts.filter((chart) => chart.needs.size);
    await Promise.all([this.#loadDimensions(), this.#loadSpectra(), ...concerned.map((c) => c.show(this.view))]);
    this.redraw();
  }

  /** Losses and AP depend on nothing of the view, only on time. */
  #showMetrics() {
    this.metricsShown = performance.now();
    for (const chart of this.charts) if (!chart.needs.size) chart.show(this.view);
  }

  /** Draw once in the next frame, however often it is asked for. */
  redraw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.#draw();
    });
  }

  #draw() {
    showReadout(this);
    for (const chart of this.charts.filter((one) => one.loaded && one.seen)) {
      placeCursor(chart, this);
      if (chart.figure === "spectrum") drawSpectrum(chart, this);
    }
    // Sixty restyled layers a frame would halve the rate of the spectrum, which the eye follows.
    const pause = DEPTH_EVERY_MS - (performance.now() - this.depthDrawn);
    clearTimeout(this.depthLater);
    this.depthLater = window.setTimeout(() => this.#drawDepth(), Math.max(0, pause));
  }

  #drawDepth() {
    this.depthDrawn = performance.now();
    for (const chart of this.charts) {
      if (chart.figure === "dimension_by_depth" && chart.loaded && chart.seen) drawDepth(chart, this);
    }
  }

  /** @param {Chart} chart */
  #drawn(chart) {
    placeCursor(chart, this);
    this.redraw();
  }

  /**
   * @param {Chart} chart
   * @param {PlotlyPoint} point
   */
  #clicked(chart, point) {
    const { layer, iteration } = pointed(chart, point, this);
    if (iteration !== undefined) this.scrubber.go(lastAt(this.page.iterations, iteration));
    if (layer !== undefined) this.setLayer(layer);
  }
}

/**
 * The last block output: where the paper's difference between I and S shows most.
 * @param {Layer[]} layers
 */
function firstLayer(layers) {
  const blocks = layers.filter((layer) => layer.map === "block");
  return (blocks[blocks.length - 1] ?? layers[layers.length - 1])?.name ?? "";
}

/** @returns {PageView} */
export function pageView(page = document) {
  return JSON.parse(page.getElementById("view")?.textContent ?? "");
}
