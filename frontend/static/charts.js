/** One chart: fetches its figure when seen, keeps its height while it loads, draws a cursor without plotly's relayout. */
import { getJson } from "./api.js";
import { make } from "./dom.js";
import { attachMenu } from "./export.js";
import { attachFullScreen } from "./full-screen.js";
import { drawMark } from "./chart-marks.js";
import { currentTheme } from "./page.js";
import { plotlyReady } from "./plotly-ready.js";
import { shareHover } from "./shared-hover.js";

const CONFIG = { displayModeBar: false, responsive: true, doubleClick: false, showTips: false, scrollZoom: false };
/** Of a difference, as a `Quantity` in the figures names them. */
const UNITS = /in points of the width|in units of α/;

/**
 * @typedef {object} View what the charts show
 * @property {string} layer
 * @property {number | null} iteration null: the last
 * @property {string} criterion
 * @property {string} threshold
 * @property {number | null} [progress] percent of each run's training, where runs are aligned by it; null: the end
 * @property {string} [y] what is drawn of an eigenvalue; empty here and below: the usual
 * @property {string} [xs] the spectrum's axis of indices
 * @property {string} [ys] its other axis
 * @property {string} [x] what charts over training have on their axis
 * @property {string} [align] what one step of the cursor means for several runs
 * @property {string} [band] the tag of runs that are drawn as one
 * @property {string} [layers] those shown beside the one under the cursor
 * @property {string} [many] what is shown of them
 * @property {string} [query] of a figure that is not one of runs but of a width plan: the whole of what is asked for
 */

export class Chart {
  /** @param {HTMLElement} element the `figure.chart` of a template */
  constructor(element) {
    this.element = element;
    this.figure = element.dataset.figure ?? "";
    this.runs = element.dataset.runs ?? "";
    this.needs = new Set((element.dataset.needs ?? "").split(" ").filter(Boolean));
    this.plot = /** @type {PlotlyElement} */ (element.querySelector(".plot"));
    this.loaded = false;
    this.seen = false;
    /** @type {View | null} */
    this.wanted = null;
    this.version = 0;
    /** @type {(chart: Chart) => void} */
    this.onDrawn = () => {};
    /** @type {(chart: Chart, point: PlotlyPoint) => void} */
    this.onClick = () => {};
    /** @type {Map<string, HTMLElement>} */
    this.marks = new Map();
    attachMenu(this);
    attachFullScreen(this);
    this.say("Loading…");
    this.#state("loading");
    new IntersectionObserver((entries) => this.#look(entries), { rootMargin: "300px" }).observe(element);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #look(entries) {
    this.seen = entries[entries.length - 1].isIntersecting;
    if (this.seen && this.wanted) this.#load(this.wanted);
  }

  /**
   * Show this view: now where the chart is in sight, else when it comes into sight.
   * @param {View} view
   */
  async show(view) {
    this.wanted = view;
    if (this.seen) await this.#load(view);
  }

  /** @param {View} view */
  async #load(view) {
    this.wanted = null;
    const version = ++this.version;
    this.#state("loading");
    try {
      const [figure] = await Promise.all([getJson(this.address(view)), plotlyReady()]);
      if (version === this.version) await this.#draw(figure);
    } catch (error) {
      if (version === this.version) this.#fail(view, error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * The figure's address, with no more of the view than the figure depends on.
   * @param {View} view
   */
  address(view) {
    if (view.query !== undefined) return `/figures/${this.figure}?${view.query}&theme=${currentTheme()}`;
    const query = new URLSearchParams({ theme: currentTheme() });
    if (this.runs) query.set("runs", this.runs);
    if (this.element.dataset.metric) query.set("metric", this.element.dataset.metric);
    for (const [name, value] of new URLSearchParams(this.element.dataset.query)) query.set(name, value);
    if (this.needs.has("layer")) query.set("layer", view.layer);
    if (this.needs.has("iteration") && view.iteration !== null) query.set("iteration", String(view.iteration));
    if (this.needs.has("criterion")) query.set("criterion", view.criterion);
    if (this.needs.has("criterion") && view.threshold) query.set("threshold", view.threshold);
    for (const key of /** @type {const} */ (["y", "xs", "ys", "x", "band", "align"])) {
      if (this.needs.has(key) && view[key]) query.set(key, view[key]);
    }
    return `${this.element.dataset.base ?? "/figures"}/${this.figure}?${query}`;
  }

  /** @param {PlotlyFigure} figure */
  async #draw(figure) {
    const first = !this.loaded;
    await Plotly.react(this.plot, figure.data, figure.layout, CONFIG);
    this.loaded = true;
    const empty = isEmpty(figure);
    this.say(empty ? (figure.layout.meta.empty ?? "Nothing measured yet.") : "");
    this.#state(empty ? "empty" : "drawn");
    this.live(figure.layout.meta.live ?? "");
    this.#reword(figure.layout.meta);
    if (first) this.#listen();
    this.onDrawn(this);
  }

  #listen() {
    this.plot.on("plotly_click", (event) => this.onClick(this, event.points[0]));
    this.plot.on("plotly_relayout", () => this.onDrawn(this));
    new ResizeObserver(() => requestAnimationFrame(() => this.onDrawn(this))).observe(this.plot);
    shareHover(this);
  }

  /**
   * The page's words are those of a dimensionality; a slope brings its own.
   * @param {PlotlyMeta} meta
   */
  #reword({ quantity, unit }) {
    const name = this.element.querySelector(".quantity");
    if (name && quantity) name.textContent = quantity;
    const note = this.element.querySelector(".chart-note");
    if (note && unit) note.textContent = (note.textContent ?? "").replace(UNITS, unit);
  }

  /**
   * Say what went wrong and how to try again; a picture that was there stays, with the sentence below it.
   * @param {View} view
   * @param {string} sentence
   */
  #fail(view, sentence) {
    const kept = this.loaded && !this.plot.querySelector(".plot-message:not(.stale)");
    this.say(kept ? `Not brought up to date. ${sentence}` : sentence);
    this.#state("error");
    const message = this.plot.querySelector(".plot-message");
    message?.classList.toggle("stale", kept);
    message?.setAttribute("role", "alert");
    const again = make("button", "Try again");
    again.addEventListener("click", () => this.#load(view));
    message?.append(again);
  }

  /** @param {"loading" | "drawn" | "empty" | "error"} state */
  #state(state) {
    this.element.dataset.state = state;
    this.element.setAttribute("aria-busy", String(state === "loading"));
  }

  /**
   * Say why there is nothing to show, and forget what was asked for.
   * @param {string} sentence
   */
  refuse(sentence) {
    this.wanted = null;
    this.version++;
    this.say(sentence);
    this.#state("empty");
  }

  /** @param {string} text shown instead of the chart; empty shows the chart */
  say(text) {
    this.element.querySelector(".plot-message")?.remove();
    if (text) this.plot.append(make("div", text, "plot-message"));
  }

  /** @param {string} text beside the title */
  note(text) {
    const note = this.element.querySelector(".chart-note");
    if (note) note.textContent = text;
  }

  /** @param {string} text how far what is shown has come, while it still grows; empty once it is whole */
  live(text) {
    const place = /** @type {HTMLElement | null} */ (this.element.querySelector(".chart-live"));
    if (!place) return;
    place.hidden = !text;
    place.textContent = text;
  }

  /**
   * Put a mark at data positions (of a category axis: indices); null hides it.
   * @param {import("./chart-marks.js").Kind} kind
   * @param {number | null} x
   * @param {number | null} y
   */
  mark(kind, x, y) {
    drawMark(this.plot, this.marks, kind, x, y);
  }
}

/** @param {PlotlyFigure} figure */
function isEmpty(figure) {
  return figure.data.every((trace) => !trace.x || ("length" in trace.x && trace.x.length === 0));
}

/** All charts of the page. */
export function pageCharts() {
  return [...document.querySelectorAll("figure.chart")].map((one) => new Chart(/** @type {HTMLElement} */ (one)));
}
