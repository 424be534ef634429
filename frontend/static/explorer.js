/** One cursor (layer, iteration) and one criterion move through all charts of a page. */
import { readView, writeView } from "./address.js";
import { getJson } from "./api.js";
import { pageCharts } from "./charts.js";
import { CriterionControl } from "./criterion.js";
import { DepthPainter } from "./depth-painter.js";
import { toast } from "./dom.js";
import { attachKeys } from "./keys.js";
import { LayerPicker } from "./layer-picker.js";
import { Loading } from "./loading.js";
import { placeCursor, pointed } from "./marks.js";
import { Multiples } from "./multiples.js";
import { showReadout } from "./readout.js";
import { Scrubber } from "./scrubber.js";
import { forgetSpectra, knownSpectra, spectraOf } from "./spectra.js";
import { SpectrumPainter } from "./spectrum-painter.js";
import { ThresholdHandle } from "./threshold-handle.js";
import { Timeline } from "./timeline.js";
import { ViewControls } from "./view-controls.js";

/** @typedef {import("./charts.js").Chart} Chart */
/** @typedef {import("./layer-picker.js").Layer} Layer */
/**
 * @typedef {object} ViewRun
 * @property {number} id
 * @property {string} name
 * @property {number[]} iterations at which it has a snapshot
 * @property {number} total iterations of its whole training
 * @property {boolean} live
 * @property {string} colour a class of the stylesheet
 * @property {string} dash
 */
/**
 * @typedef {object} PageView what the server says of the runs
 * @property {ViewRun[]} runs
 * @property {number[]} iterations
 * @property {Record<string, Record<string, number[]>>} bands by what is chosen: the runs of each line, by tag
 * @property {Layer[]} layers
 */
/**
 * @typedef {object} Dimensions
 * @property {string[]} layers
 * @property {number[]} iterations
 * @property {number[]} widths
 * @property {(number | null)[][]} values
 * @property {number | null} threshold
 * @property {"dimensions" | "slope"} unit
 */

/** While a run trains, its losses are fetched no more often: the machine that draws may be the one that trains. */
const METRICS_EVERY_MS = 4000;
/** @type {Record<string, string[]>} what figures depend on beside what the page's template says */
const NEEDS = {
  spectrum: ["y", "xs", "ys", "band"],
  dimension_by_iteration: ["x", "band"],
  losses: ["x", "band"],
  average_precision: ["x", "band"],
  learning_rate: ["x"],
  metric: ["x", "band"],
};
const METRICS = ["losses", "average_precision", "learning_rate", "metric"];

export class Explorer {
  /** @param {PageView} page */
  constructor(page) {
    this.page = page;
    const asked = readView();
    /** @type {import("./charts.js").View} */
    this.view = {
      ...asked,
      layer: page.layers.some((one) => one.name === asked.layer) ? String(asked.layer) : firstLayer(page.layers),
      iteration: asked.iteration ?? null,
      criterion: asked.criterion ?? "absolute",
      threshold: asked.threshold ?? "",
    };
    /** @type {Map<number, Dimensions>} */
    this.dimensions = new Map();
    /** A threshold on its way, before the server has counted by it. @type {number | null} */
    this.dragged = null;
    /** Called when another criterion or threshold is chosen, which the server's cautions depend on. */
    this.onCriterion = () => {};
    this.frame = 0;
    this.metricsShown = performance.now();
    this.scrubber = new Scrubber((position) => this.#scrubbed(position));
    this.picker = new LayerPicker((name) => this.setLayer(name), (layers) => this.#chose(layers));
    this.criterion = new CriterionControl(
      (criterion, threshold) => this.#setCriterion(criterion, threshold),
      (threshold) => this.#dragged(threshold),
    );
    this.criterion.set(this.view.criterion, this.view.threshold);
    this.view.criterion = this.criterion.criterion;
    this.view.threshold = this.criterion.threshold;
    this.controls = new ViewControls(this.view, (changed) => this.#viewed(changed));
    this.timeline = new Timeline(page.runs, page.iterations, this.controls.align);
    this.charts = pageCharts();
    /** @type {Map<Chart, {move: () => void}>} */
    this.painters = new Map();
    /** @type {ThresholdHandle[]} */
    this.handles = [];
    this.charts.forEach((chart) => this.#attach(chart));
    this.loading = new Loading(this);
    this.multiples = new Multiples(this);
    document.addEventListener("themechange", () => this.charts.forEach((chart) => chart.show(this.view)));
    attachKeys(this);
    this.#controls();
    this.multiples.show(this.picker.set(page.layers, this.view.layer, this.view.layers ?? ""));
  }

  /** @param {Chart} chart */
  #attach(chart) {
    for (const one of NEEDS[chart.figure] ?? []) chart.needs.add(one);
    if (chart.figure === "spectrum") {
      this.painters.set(chart, new SpectrumPainter(chart, this));
      this.handles.push(new ThresholdHandle(chart, this));
    }
    if (chart.figure === "dimension_by_depth") this.painters.set(chart, new DepthPainter(chart, this));
    chart.onDrawn = () => this.#drawn(chart);
    chart.onClick = (_, point) => this.#clicked(chart, point);
  }

  async start() {
    this.charts.forEach((chart) => chart.show(this.view));
    await Promise.all([this.#loadDimensions(), this.#loadSpectra()]);
    this.redraw();
  }

  /** The step of the timeline under the cursor; null while nothing has been measured. */
  get step() {
    return this.timeline.steps.length ? this.timeline.steps[this.scrubber.position] : null;
  }

  /**
   * The iteration of a run under the cursor, whether it has a snapshot there or not.
   * @param {number} run
   */
  iterationOf(run) {
    return this.step === null ? null : this.timeline.iterationOf(run, this.step);
  }

  noteOfLayer() {
    const note = this.page.layers.find((layer) => layer.name === this.view.layer)?.note ?? "";
    return [this.loading.words, note].filter(Boolean).join(", ");
  }

  #controls() {
    const { view, page } = this;
    this.timeline = new Timeline(page.runs, page.iterations, this.controls.align);
    const asked = this.controls.align === "progress" ? view.progress : view.iteration;
    const last = this.timeline.steps.length - 1;
    this.scrubber.set(this.timeline, typeof asked === "number" ? this.timeline.indexOf(asked) : Math.max(0, last));
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

  /**
   * The runs that have a layer and have measured it. A run of another network need not have this layer: its line is
   * then missing, and its readout says so.
   * @param {string} layer
   */
  holders(layer) {
    const ids = this.page.layers.find((one) => one.name === layer)?.runs ?? [];
    return this.page.runs.filter((run) => run.iterations.length && ids.includes(run.id));
  }

  async #loadSpectra() {
    const { layer } = this.view;
    const runs = this.holders(layer);
    this.loading.start(runs.filter((run) => !knownSpectra(run.id, layer)));
    const found = await Promise.allSettled(
      runs.map((run) => spectraOf(run.id, layer, (got, of) => this.loading.arrived(layer, run.id, got, of))),
    );
    if (layer !== this.view.layer) return;
    this.loading.end();
    for (const one of found) if (one.status === "rejected") toast(one.reason.message, "error");
  }

  /** @param {string} name */
  async setLayer(name) {
    if (name === this.view.layer) return;
    this.view.layer = name;
    this.picker.choose(name);
    writeView(this.view);
    const concerned = this.charts.filter((chart) => chart.needs.has("layer"));
    this.redraw();
    await Promise.all([this.#loadSpectra(), ...concerned.map((chart) => chart.show(this.view))]);
    this.redraw();
  }

  /** @param {string} many what is shown of several layers */
  setMany(many) {
    this.view.many = many;
    writeView(this.view);
  }

  /** @param {number} by */
  stepLayer(by) {
    const { layers } = this.page;
    const at = layers.findIndex((layer) => layer.name === this.view.layer);
    const next = layers[Math.min(layers.length - 1, Math.max(0, at + by))];
    if (next) this.setLayer(next.name);
  }

  /** @param {{names: string[], text: string}} layers those shown beside each other, and the same for the URL */
  #chose(layers) {
    this.view.layers = layers.text;
    writeView(this.view);
    this.multiples.show(layers.names);
  }

  /**
   * @param {string} criterion
   * @param {string} threshold
   */
  async #setCriterion(criterion, threshold) {
    if (criterion === this.view.criterion && threshold === this.view.threshold) return void (this.dragged = null);
    Object.assign(this.view, { criterion, threshold });
    writeView(this.view);
    this.onCriterion();
    const concerned = this.charts.filter((chart) => chart.needs.has("criterion"));
    await Promise.all([this.#loadDimensions(), ...concerned.map((chart) => chart.show(this.view))]);
    if (threshold === this.view.threshold) this.dragged = null;
    this.redraw();
  }

  /** @param {number} threshold */
  #dragged(threshold) {
    this.dragged = threshold;
    this.redraw();
  }

  /** @param {(keyof import("./charts.js").View)[]} changed */
  #viewed(changed) {
    if (changed.includes("align")) this.#aligned();
    writeView(this.view);
    const concerned = this.charts.filter((chart) => changed.some((one) => chart.needs.has(one)));
    for (const chart of concerned) chart.show(this.view);
    this.multiples.redraw();
    this.redraw();
  }

  /** Keep the cursor on the snapshot of the first run when steps come to mean something else. */
  #aligned() {
    const first = this.page.runs[0]?.id;
    const here = this.scrubber.position === this.scrubber.count - 1 ? null : this.iterationOf(first);
    const progress = this.controls.align === "progress";
    const next = new Timeline(this.page.runs, this.page.iterations, this.controls.align);
    const step = here === null ? null : next.stepOf(first, here);
    this.view.iteration = progress || step === null ? null : Math.round(step);
    this.view.progress = progress ? step : null;
    this.#controls();
  }

  /** @param {number} position */
  #scrubbed(position) {
    const step = this.timeline.steps[position];
    if (this.timeline.align === "progress") this.view.progress = Math.round(100 * step) / 100;
    else this.view.iteration = step;
    writeView(this.view);
    this.redraw();
  }

  /**
   * Take over what the runs have measured since; a cursor at the end stays at the end.
   * @param {PageView} page
   */
  async extend(page) {
    const atEnd = this.scrubber.position === this.scrubber.count - 1 || !this.scrubber.count;
    const before = new Map(this.page.runs.map((run) => [run.id, run]));
    const changed = page.runs.filter((run) => run.iterations.join() !== before.get(run.id)?.iterations.join());
    const ended = page.runs.some((run) => run.live !== before.get(run.id)?.live);
    this.page = page;
    if (ended || performance.now() - this.metricsShown > METRICS_EVERY_MS) this.#showMetrics();
    if (!changed.length) return;
    for (const run of changed) {
      const known = before.get(run.id)?.iterations ?? [];
      forgetSpectra(run.id, known.every((iteration, k) => run.iterations[k] === iteration));
    }
    if (!this.view.layer) this.view.layer = firstLayer(page.layers);
    if (atEnd) this.view.iteration = this.view.progress = null;
    this.#controls();
    this.picker.set(page.layers, this.view.layer);
    const concerned = this.charts.filter((chart) => !METRICS.includes(chart.figure));
    await Promise.all([this.#loadDimensions(), this.#loadSpectra(), ...concerned.map((c) => c.show(this.view))]);
    this.multiples.extend();
    this.redraw();
  }

  /** Losses and AP depend on nothing of the cursor, only on time. */
  #showMetrics() {
    this.metricsShown = performance.now();
    for (const chart of this.charts) if (METRICS.includes(chart.figure)) chart.show(this.view);
  }

  /** Draw once in the next frame, however often it is asked for. */
  redraw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      showReadout(this);
      for (const chart of this.charts.filter((one) => one.loaded && one.seen)) {
        placeCursor(chart, this);
        this.painters.get(chart)?.move();
      }
      for (const handle of this.handles) if (handle.chart.loaded) handle.place();
      this.multiples.draw();
    });
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
    const { layer, iteration, run } = pointed(chart, point, this);
    if (iteration !== undefined) this.scrubber.go(this.timeline.indexOf(this.timeline.stepOf(run, iteration)));
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
