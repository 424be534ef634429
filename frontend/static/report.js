/** A report file: draws its figures from what it holds itself, and moves one cursor through all of them. */
import { dimension, integer, lastAt, shortPercent, significant, wholePercent } from "./numbers.js";

/**
 * @typedef {{dtype: string, shape: number[], at: number}} Packed an array, the snapshots along its first axis: where its bytes are
 * @typedef {{trace: number, steps: number[], arrays: Record<string, Packed>}} Move
 * @typedef {{light: PlotlyFigure, dark: [(string | number)[], unknown][], moves: Move[], run: number, marked: boolean, metric: boolean, follows: boolean}} Panel
 *   `dark` is what differs from `light`; `run`: the first of its runs; `marked`: one line across it is where the cursor stands;
 *   `metric`: x is the iteration itself; `follows`: shows one iteration
 * @typedef {{layer: string, row: string, steps: number[], values: (number | null)[], width: number, slope: boolean}} Reading
 * @typedef {{panels: Panel[], steps: number[], totals: Record<string, number>, start: number, readings: Reading[]}} Content
 *   `steps` are iterations, or where there are `totals`, planned iterations by run, percent of each training
 * @typedef {(step: number) => unknown[]} Rows
 */

const CONFIG = { displayModeBar: false, responsive: true, doubleClick: false, showTips: false, scrollZoom: false };
const PLAY_MS = 6000;
/** Percent: an iteration of a share that was rounded down belongs to that share. */
const GRACE = 1e-6;
const STEP_MS = { least: 50, most: 400 };
/** Pixels between the margins of A4 and of Letter, both. */
const PRINTED_WIDTH = 690;

const plots = /** @type {PlotlyElement[]} */ ([...document.querySelectorAll("figure[data-panel] .plot")]);
const range = /** @type {HTMLInputElement | null} */ (document.querySelector("#iteration"));
const play = /** @type {HTMLButtonElement | null} */ (document.querySelector("#play"));
const darkness = matchMedia("(prefers-color-scheme: dark)");

/** @param {string} id of the element that holds what is compressed */
function unpacked(id) {
  const packed = document.getElementById(id)?.textContent ?? "";
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));
}

/**
 * @param {Packed} packed
 * @param {Uint8Array} store of all arrays: first bytes of an array's numbers, then their second bytes, and so on
 * @returns {Rows}
 */
function rowsOf({ dtype, shape, at }, store) {
  const kinds = { f4: Float32Array, f8: Float64Array, i4: Int32Array };
  const kind = kinds[/** @type {keyof typeof kinds} */ (dtype)];
  const [steps, count, each = 0] = shape;
  const size = count * (each || 1);
  const values = new kind(steps * size);
  const bytes = new Uint8Array(values.buffer);
  for (let k = 0, place = at; k < kind.BYTES_PER_ELEMENT; k++) {
    for (let to = k; to < bytes.length; to += kind.BYTES_PER_ELEMENT) bytes[to] = store[place++];
  }
  return (step) => {
    const row = Array.from(values.subarray(step * size, (step + 1) * size));
    return each ? Array.from({ length: count }, (_, k) => row.slice(k * each, (k + 1) * each)) : row;
  };
}

class Drawn {
  /**
   * @param {PlotlyElement} plot
   * @param {Panel} panel
   * @param {Uint8Array} store
   */
  constructor(plot, panel, store) {
    this.plot = plot;
    this.panel = panel;
    this.note = plot.closest("figure")?.querySelector(".chart-note");
    this.mark = document.createElement("div");
    this.mark.className = "crosshair vertical";
    this.seen = true;
    new IntersectionObserver((entries) => {
      this.seen = entries[entries.length - 1].isIntersecting;
      if (this.seen && this.mark.isConnected) this.move(stepNow());
    }).observe(plot);
    this.moves = panel.moves.map(({ trace, steps, arrays }) => ({
      trace,
      steps,
      rows: Object.entries(arrays).map(([name, packed]) => /** @type {[string, Rows]} */ ([name, rowsOf(packed, store)])),
    }));
  }

  /**
   * @param {boolean} dark
   * @param {number | undefined} width of paper; a window has its own
   */
  async draw(dark, width) {
    const figure = structuredClone(this.panel.light);
    for (const [path, value] of dark ? this.panel.dark : []) put(figure, path, value);
    const first = !this.mark.isConnected;
    await Plotly.react(this.plot, figure.data, width ? { ...figure.layout, width } : figure.layout, CONFIG);
    this.plot.append(this.mark);
    if (first) this.plot.on("plotly_click", (event) => this.#clicked(event.points[0]));
    if (first) new ResizeObserver(() => requestAnimationFrame(() => this.place(stepNow()))).observe(this.plot);
    this.move(stepNow());
  }

  /** @param {number | null} step */
  move(step) {
    if (step === null) return;
    /** @type {Record<string, unknown[]>} */
    const changes = {};
    this.moves.forEach(({ steps, rows }, place) => {
      for (const [name, row] of rows) (changes[name] ??= [])[place] = row(lastAt(steps, step));
    });
    // A trace that lacks one of the others' arrays keeps its own: undefined changes nothing.
    for (const values of Object.values(changes)) values.length = this.moves.length;
    if (this.moves.length) Plotly.restyle(this.plot, changes, this.moves.map((move) => move.trace));
    if (this.note && this.panel.follows) this.note.textContent = byProgress() ? `at ${wordsOf(step)}` : `iteration ${integer(step)}`;
    this.place(step);
  }

  /** @param {number | null} step */
  place(step) {
    const { iterations = [] } = this.plot.layout?.meta ?? {};
    this.mark.hidden = step === null || !this.panel.marked || !(iterations.length || this.panel.metric);
    if (this.mark.hidden || step === null || !this.plot._fullLayout) return;
    const { xaxis } = this.plot._fullLayout;
    const iteration = iterationOf(this.panel.run, step);
    const at = xaxis.c2p(this.panel.metric ? iteration : lastAt(iterations, iteration));
    this.mark.hidden = at < -1 || at > xaxis._length + 1;
    this.mark.style.transform = `translate(${xaxis._offset + at}px, ${this.plot._fullLayout.yaxis._offset}px)`;
    this.mark.style.height = `${this.plot._fullLayout.yaxis._length}px`;
  }

  /**
   * Move the cursor to the snapshot that a point stands for.
   * @param {PlotlyPoint} point
   */
  #clicked({ pointNumber, data, x }) {
    const run = data.meta?.run ?? this.panel.run;
    const axis = this.plot.layout.meta.iterations ?? [];
    if (Array.isArray(pointNumber)) goTo(stepOf(run, axis[pointNumber[1]]));
    else if (data.meta?.iterations) goTo(stepOf(run, data.meta.iterations[pointNumber]));
    else if (this.panel.metric && this.panel.marked) goTo(stepOf(run, Number(x)));
  }
}

/**
 * @param {any} part
 * @param {(string | number)[]} path
 * @param {unknown} value null takes away what is there
 */
function put(part, path, value) {
  for (const step of path.slice(0, -1)) part = part[step];
  if (value === null) delete part[path[path.length - 1]];
  else part[path[path.length - 1]] = value;
}

/** @type {Content} */
let content = { panels: [], steps: [], totals: {}, start: 0, readings: [] };
/** @type {Drawn[]} */
let drawn = [];
let frame = 0;
/** @type {number | undefined} */
let timer;

function stepNow() {
  return content.steps.length ? content.steps[Number(range?.value ?? 0)] : null;
}

function byProgress() {
  return Object.keys(content.totals).length > 0;
}

/** @param {number} run @param {number} step */
function iterationOf(run, step) {
  return byProgress() ? ((step + GRACE) / 100) * content.totals[run] : step;
}

/** @param {number} run @param {number} iteration */
function stepOf(run, iteration) {
  return byProgress() ? (100 * iteration) / content.totals[run] : iteration;
}

/** @param {number} step */
function wordsOf(step) {
  if (byProgress()) return `${shortPercent(step)} of training`;
  return `${integer(step)} of ${integer(content.steps[content.steps.length - 1])}`;
}

/** @param {number} to */
function goTo(to) {
  if (range && Number.isFinite(to)) step(lastAt(content.steps, to));
}

/** @param {number} position */
function step(position) {
  if (range) range.value = String(position);
  if (!frame) frame = requestAnimationFrame(show);
}

function show() {
  frame = 0;
  const now = stepNow();
  say(now);
  for (const one of drawn) if (one.seen) one.move(now);
}

/** @param {number | null} now */
function say(now) {
  if (now === null) return;
  const text = wordsOf(now);
  const output = document.getElementById("iteration-text");
  if (output) output.textContent = text;
  range?.setAttribute("aria-valuetext", byProgress() ? text : `iteration ${text}`);
  const cells = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-row][data-layer]"))];
  for (const { layer, row, steps, values, width, slope } of content.readings) {
    const cell = cells.find((one) => one.dataset.row === row && one.dataset.layer === layer);
    if (cell) cell.textContent = words(values[lastAt(steps, now)] ?? null, width, slope);
  }
}

/**
 * @param {number | null} value
 * @param {number} width
 * @param {boolean} slope
 */
function words(value, width, slope) {
  if (value === null) return slope ? "no slope" : "not measured";
  return slope ? `α = ${significant(value)}` : `d = ${dimension(value)} of ${integer(width)} (${wholePercent(value / width)})`;
}

/**
 * A finding's link leads to its figure, and takes the cursor to the moment that it speaks of.
 * @param {Event} event
 */
function follow({ target }) {
  const link = target instanceof Element ? target.closest("a") : null;
  const { iteration, progress } = link?.dataset ?? {};
  const first = content.panels[0]?.run;
  if (iteration !== undefined) goTo(byProgress() ? stepOf(first, Number(iteration)) : Number(iteration));
  else if (progress !== undefined && byProgress()) goTo(Number(progress) + GRACE);
}

function toggle() {
  if (timer !== undefined) return pause();
  if (Number(range?.value) === content.steps.length - 1) step(0);
  const pace = Math.min(STEP_MS.most, Math.max(STEP_MS.least, PLAY_MS / content.steps.length));
  timer = window.setInterval(() => {
    const next = Number(range?.value) + 1;
    if (next < content.steps.length) step(next);
    else pause();
  }, pace);
  label("❚❚", "Pause");
}

function pause() {
  clearInterval(timer);
  timer = undefined;
  label("▶", "Play");
}

/**
 * @param {string} sign
 * @param {string} word
 */
function label(sign, word) {
  if (!play) return;
  play.textContent = sign;
  play.setAttribute("aria-label", word);
}

/** @param {boolean} dark @param {number} [width] */
async function drawAll(dark, width) {
  for (const one of drawn) await one.draw(dark, width);
}

async function start() {
  const script = document.createElement("script");
  script.textContent = await unpacked("plotly").text();
  document.head.append(script);
  content = await unpacked("content").json();
  const store = new Uint8Array(await unpacked("arrays").arrayBuffer());
  if (range && content.steps.length) {
    range.max = String(content.steps.length - 1);
    range.value = String(content.start);
    range.disabled = content.steps.length < 2;
    if (play) play.disabled = range.disabled;
    range.addEventListener("input", () => step(Number(range.value)));
    play?.addEventListener("click", toggle);
  }
  document.querySelector("#story")?.addEventListener("click", follow);
  say(stepNow());
  drawn = content.panels.map((panel, k) => new Drawn(plots[k], panel, store));
  await drawAll(darkness.matches);
  darkness.addEventListener("change", () => drawAll(darkness.matches));
  // Paper is white and as wide as paper.
  addEventListener("beforeprint", () => drawn.forEach((one) => one.draw(false, PRINTED_WIDTH)));
  addEventListener("afterprint", () => drawAll(darkness.matches));
  document.body.dataset.drawn = String(drawn.length);
}

start().catch((error) => {
  const sentence = "DecompressionStream" in window ? String(error) : "This browser is too old to unpack the figures; open the file in a newer one.";
  for (const plot of plots) plot.textContent = sentence;
});
