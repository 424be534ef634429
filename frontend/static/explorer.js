/** One cursor (layer, iteration) and one criterion move through all charts of a page. */
import { readView, writeView } from "./address.js";
import { METRICS, NEEDS } from "./chart-needs.js";
import { pageCharts } from "./charts.js";
import { CriterionControl } from "./criterion.js";
import { DepthPainter } from "./depth-painter.js";
import { byId } from "./dom.js";
import { attachKeys } from "./keys.js";
import { LayerPicker } from "./layer-picker.js";
import { placeCursor, pointed } from "./marks.js";
import { Measured } from "./measured.js";
import { Multiples } from "./multiples.js";
import { firstLayer } from "./page-view.js";
import { showReadout } from "./readout.js";
import { Scrubber } from "./scrubber.js";
import { forgetSpectra } from "./spectra.js";
import { SpectrumPainter } from "./spectrum-painter.js";
import { ThresholdHandle } from "./threshold-handle.js";
import { Timeline } from "./timeline.js";
import { ViewControls } from "./view-controls.js";

/** @typedef {import("./charts.js").Chart} Chart */
/** @typedef {import("./page-view.js").PageView} PageView */
/** @typedef {import("./page-view.js").ViewRun} ViewRun */
/** @typedef {import("./page-view.js").Dimensions} Dimensions */

/** While a run trains, its losses are fetched no more often: the machine that draws may be the one that trains. */
const METRICS_EVERY_MS = 4000;
/** The other charts wait no longer for a spectrum: it may not be in sight. */
const REST_AFTER_MS = 1200;
/** A layer that the cursor has left sooner is not fetched in full. */
const RESTS_AFTER_MS = 150;
export { pageView } from "./page-view.js";

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
    this.measured = new Measured(this);
    /** A threshold on its way, before the server has counted by it. @type {number | null} */
    this.dragged = null;
    /** Called when another criterion or threshold is chosen, which the server's cautions depend on. */
    this.onCriterion = () => {};
    this.frame = 0;
    /** @type {() => void} */
    this.firstDrawn = () => undefined;
    /** @type {Promise<void>} */
    this.drawnFirst = new Promise((resolve) => (this.firstDrawn = resolve));
    this.metricsShown = performance.now();
    this.scrubber = new Scrubber((position) => this.#scrubbed(position));
    this.picker = new LayerPicker((name) => this.setLayer(name), (layers) => this.#chose(layers));
    this.criterion = new CriterionControl(
      (criterion, threshold) => this.#setCriterion(criterion, threshold),
      (threshold) => {
        this.dragged = threshold;
        this.redraw();
      },
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
    this.multiples = new Multiples(this);
    document.addEventListener("themechange", () => this.charts.forEach((chart) => chart.show(this.view)));
    attachKeys(this);
    const moving = this.charts.filter((chart) => chart.needs.has("layer")).map((chart) => chart.element);
    this.measured.watch([byId("cursor", HTMLElement), ...moving]);
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

  /** Ask for the spectrum before all else: what one looks at first is there first. */
  async start() {
    const first = this.charts.filter((chart) => chart.figure === "spectrum");
    first.forEach((chart) => chart.show(this.view));
    await Promise.race([this.drawnFirst, new Promise((resolve) => setTimeout(resolve, REST_AFTER_MS))]);
    for (const chart of this.charts) if (!first.includes(chart)) chart.show(this.view);
    await this.measured.loadDimensions();
    this.redraw();
  }

  get dimensions() {
    return this.measured.dimensions;
  }

  /** The runs that are drawn as one line, as it is chosen. */
  get bands() {
    return this.page.bands[this.view.band ?? ""] ?? [];
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
    return [this.measured.loading.words, note].filter(Boolean).join(", ");
  }

  #controls() {
    const { view, page } = this;
    this.timeline = new Timeline(page.runs, page.iterations, this.controls.align);
    const asked = this.controls.align === "progress" ? view.progress : view.iteration;
    if (typeof asked === "number") view.iteration = Math.round(this.timeline.iterationOf(page.runs[0].id, asked));
    const last = this.timeline.steps.length - 1;
    this.scrubber.set(this.timeline, typeof asked === "number" ? this.timeline.indexOf(asked) : Math.max(0, last));
  }

  /** @param {string} name */
  async setLayer(name) {
    if (name === this.view.layer) return;
    this.view.layer = name;
    this.picker.choose(name);
    writeView(this.view);
    const concerned = this.charts.filter((chart) => chart.needs.has("layer"));
    this.redraw();
    if (!(await this.#spectrumFirst(concerned))) return;
    await this.measured.loadSpectra();
    this.redraw();
  }

  /**
   * Show the spectrum, and the rest once the cursor rests: who steps through layers looks at their spectra.
   * @param {Chart[]} charts
   * @returns {Promise<boolean>} whether it rests
   */
  async #spectrumFirst(charts) {
    const { layer } = this.view;
    const first = charts.filter((chart) => chart.figure === "spectrum");
    await Promise.all(first.map((chart) => chart.show(this.view)));
    await new Promise((resolve) => setTimeout(resolve, RESTS_AFTER_MS));
    if (layer !== this.view.layer) return false;
    for (const chart of charts) if (!first.includes(chart)) chart.show(this.view);
    return true;
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
    await Promise.all([this.measured.loadDimensions(), ...concerned.map((chart) => chart.show(this.view))]);
    if (threshold === this.view.threshold) this.dragged = null;
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
    this.view.iteration = here === null ? null : Math.round(here);
    this.view.progress = progress ? step : null;
    this.#controls();
  }

  /** @param {number} position */
  #scrubbed(position) {
    this.measured.want();
    const step = this.timeline.steps[position];
    this.view.progress = this.timeline.align === "progress" ? Math.round(100 * step) / 100 : null;
    // What figures are asked for is the first run's iteration.
    this.view.iteration = Math.round(this.timeline.iterationOf(this.page.runs[0].id, step));
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
    await Promise.all([this.measured.loadDimensions(), this.measured.loadSpectra(), ...concerned.map((c) => c.show(this.view))]);
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
    if (chart.figure === "spectrum") this.firstDrawn();
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
