/** One layer in a small chart of its own: all of them on the same axes, so that they can be compared. */
import { dimensionsAt } from "./dimensions.js";
import { make } from "./dom.js";
import { bandOf, heightsOf } from "./heights.js";
import { dimension, integer, lastAt, significant } from "./numbers.js";
import { dashes, fillBetween, pixel, trace } from "./pixels.js";
import { knownSpectra, spectrumAt } from "./spectra.js";

/** @typedef {import("./explorer.js").Explorer} Explorer */
/** @typedef {import("./pixels.js").Axis} Axis */
/** @typedef {import("./heights.js").Height} Height */
/** @typedef {{runs: number[], colour: string, dash: string}} Line */
/** @typedef {{lines: Line[], ink: string, muted: string, grid: string, widest: number, highest: number, kind: "spectrum" | "dimension"}} Look */

const PAD = { left: 34, right: 6, top: 4, bottom: 16 };
const FLOOR_DECADES = -7;

export class SmallChart {
  /**
   * @param {import("./layer-picker.js").Layer} layer
   * @param {(name: string) => void} onPick
   */
  constructor(layer, onPick) {
    this.layer = layer;
    this.seen = false;
    this.element = make("figure", "", "small-chart");
    this.element.dataset.layer = layer.name;
    const name = make("button", layer.name, "as-link");
    name.title = `Move the cursor to ${layer.name}`;
    name.addEventListener("click", () => onPick(layer.name));
    this.value = make("span", "", "value");
    const caption = make("figcaption");
    caption.append(name, this.value);
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.message = make("p", "", "small-message");
    this.element.append(caption, this.canvas, this.message);
  }

  /** Give the picture's memory back while nobody looks. */
  release() {
    this.canvas.width = this.canvas.height = 0;
  }

  /**
   * @param {Explorer} explorer
   * @param {Look} look
   * @param {string} state what is said in place of a picture; empty where there is one
   */
  draw(explorer, look, state) {
    if (this.message.textContent !== state) this.message.textContent = state;
    this.element.classList.toggle("current", explorer.view.layer === this.layer.name);
    this.#say(explorer, look);
    const pen = this.#pen();
    if (!pen) return;
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    const place = { left: PAD.left, right: width - PAD.right, top: PAD.top, bottom: height - PAD.bottom };
    pen.clearRect(0, 0, width, height);
    if (look.kind === "spectrum") this.#spectrum(pen, explorer, look, place);
    else this.#dimension(pen, explorer, look, place);
  }

  #pen() {
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const { clientWidth, clientHeight } = this.canvas;
    const pen = this.canvas.getContext("2d");
    const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    if (!width || !height) return null;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      pen?.setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    return pen;
  }

  /**
   * @param {Explorer} explorer
   * @param {Look} look
   */
  #say(explorer, look) {
    const parts = look.lines.map(({ runs }) => {
      const at = dimensionsAt(explorer, runs, this.layer.name);
      const slope = explorer.dimensions.get(runs[0])?.unit === "slope";
      return at ? (slope ? significant(at.mean) : dimension(at.mean)) : "–";
    });
    const text = `${parts.slice(0, 4).join(" · ")}${parts.length > 4 ? " …" : ""}`;
    if (this.value.textContent === text) return;
    this.value.textContent = text;
    this.canvas.setAttribute("aria-label", `${this.layer.name}: ${text}`);
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {Explorer} explorer
   * @param {Look} look
   * @param {{left: number, right: number, top: number, bottom: number}} place
   */
  #spectrum(pen, explorer, look, place) {
    const { view } = explorer;
    const height = /** @type {Height} */ (view.y || "absolute");
    const [x, y] = axes(place, view, height, look);
    frame(pen, look, place);
    decades(pen, look, place, y, height === "cumulative" ? "%" : "");
    label(pen, look, "1", pixel(x, 1), place.bottom + 12, "left");
    label(pen, look, integer(look.widest), place.right, place.bottom + 12, "right");
    pen.save();
    pen.beginPath();
    pen.rect(place.left, place.top, place.right - place.left, place.bottom - place.top);
    pen.clip();
    for (const line of look.lines) this.#line(pen, explorer, line, height, x, y);
    pen.restore();
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {Explorer} explorer
   * @param {Line} line
   * @param {Height} height
   * @param {Axis} x
   * @param {Axis} y
   */
  #line(pen, explorer, line, height, x, y) {
    const drawn = line.runs.flatMap((run) => {
      const block = knownSpectra(run, this.layer.name);
      const target = explorer.iterationOf(run);
      if (!block?.iterations.length || target === null) return [];
      return [heightsOf(spectrumAt(block, lastAt(block.iterations, target)), height)];
    });
    if (!drawn.length) return;
    const band = drawn.length > 1 ? bandOf(drawn, height) : null;
    const curve = band?.mean ?? drawn[0];
    pen.fillStyle = pen.strokeStyle = line.colour;
    if (band) {
      pen.globalAlpha = 0.2;
      fillBetween(pen, band.low, band.high, x, y);
      pen.globalAlpha = 1;
    }
    stroke(pen, line, () => trace(pen, curve, x, y));
    const at = dimensionsAt(explorer, line.runs, this.layer.name);
    const place = Math.min(curve.length, Math.max(1, Math.round(at?.mean ?? 1))) - 1;
    if (!at || explorer.dimensions.get(line.runs[0])?.unit === "slope" || (y.log && curve[place] <= 0)) return;
    pen.beginPath();
    pen.arc(pixel(x, Math.max(1, at.mean)), pixel(y, curve[place]), 3, 0, 2 * Math.PI);
    pen.fill();
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {Explorer} explorer
   * @param {Look} look
   * @param {{left: number, right: number, top: number, bottom: number}} place
   */
  #dimension(pen, explorer, look, place) {
    const { timeline, scrubber } = explorer;
    const slope = [...explorer.dimensions.values()][0]?.unit === "slope";
    const x = { log: false, from: 0, to: Math.max(1, timeline.steps.length - 1), start: place.left, end: place.right };
    const y = { log: false, from: 0, to: slope ? 4 : 1, start: place.bottom, end: place.top };
    frame(pen, look, place);
    for (const at of [0, y.to / 2, y.to]) {
      label(pen, look, slope ? String(at) : `${100 * at} %`, place.left - 4, Math.max(place.top + 8, pixel(y, at) + 3), "right");
    }
    label(pen, look, timeline.short(0), place.left, place.bottom + 12, "left");
    label(pen, look, timeline.short(timeline.steps.length - 1), place.right, place.bottom + 12, "right");
    for (const line of look.lines) this.#course(pen, explorer, line, x, y);
    pen.fillStyle = look.ink;
    pen.globalAlpha = 0.55;
    pen.fillRect(pixel(x, scrubber.position), place.top, 1, place.bottom - place.top);
    pen.globalAlpha = 1;
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {Explorer} explorer
   * @param {Line} line
   * @param {Axis} x
   * @param {Axis} y
   */
  #course(pen, explorer, line, x, y) {
    pen.fillStyle = pen.strokeStyle = line.colour;
    const rows = line.runs.flatMap((run) => courseOf(explorer, run, this.layer.name));
    if (!rows.length) return;
    const steps = Array.from(rows[0], (_, k) => k);
    const among = steps.map((k) => rows.map((row) => row[k]).filter((value) => !Number.isNaN(value)));
    if (rows.length > 1) {
      pen.globalAlpha = 0.2;
      pen.beginPath();
      steps.forEach((k) => among[k].length && pen.lineTo(pixel(x, k), pixel(y, Math.max(...among[k]))));
      steps.reverse().forEach((k) => among[k].length && pen.lineTo(pixel(x, k), pixel(y, Math.min(...among[k]))));
      pen.fill();
      pen.globalAlpha = 1;
    }
    stroke(pen, line, () => {
      among.forEach((values, k) => {
        if (values.length) pen.lineTo(pixel(x, k), pixel(y, values.reduce((sum, one) => sum + one, 0) / values.length));
      });
    });
  }
}

/**
 * A run's numbers of a layer at every step of the timeline; NaN before its first and after its last snapshot.
 * @param {Explorer} explorer
 * @param {number} run
 * @param {string} layer
 * @returns {Float64Array[]} one, or none where it has no such layer
 */
function courseOf(explorer, run, layer) {
  const found = explorer.dimensions.get(run);
  const row = found?.layers.indexOf(layer) ?? -1;
  if (!found || row < 0) return [];
  const { steps } = explorer.timeline;
  const course = new Float64Array(steps.length);
  const last = found.iterations[found.iterations.length - 1];
  for (let k = 0; k < steps.length; k++) {
    const target = explorer.timeline.iterationOf(run, steps[k]);
    const value = found.values[row][lastAt(found.iterations, target)];
    const inside = target >= found.iterations[0] && Math.floor(target) <= last;
    course[k] = value === null || !inside ? NaN : value / (found.unit === "slope" ? 1 : found.widths[row]);
  }
  return [course];
}

/**
 * @param {{left: number, right: number, top: number, bottom: number}} place
 * @param {import("./charts.js").View} view
 * @param {Height} height
 * @param {Look} look
 * @returns {[Axis, Axis]}
 */
function axes(place, view, height, look) {
  const onLog = view.xs !== "linear";
  const share = height === "cumulative";
  const tall = view.ys ? view.ys === "log" : !share;
  const top = height === "absolute" ? look.highest : 1;
  const decadesUp = share ? 0 : Math.ceil(Math.log10(top) - 1e-9);
  const x = { log: onLog, from: 0, to: onLog ? Math.log10(Math.max(2, look.widest)) : look.widest, start: place.left, end: place.right };
  const range = tall ? { from: share ? -2 : FLOOR_DECADES, to: decadesUp } : { from: 0, to: top };
  return [x, { log: tall, ...range, start: place.bottom, end: place.top }];
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Line} line
 * @param {() => void} path
 */
function stroke(pen, line, path) {
  pen.lineWidth = 1.25;
  pen.lineJoin = "round";
  pen.setLineDash(dashes(line.dash, 1.25));
  pen.beginPath();
  path();
  pen.stroke();
  pen.setLineDash([]);
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Look} look
 * @param {{left: number, right: number, top: number, bottom: number}} place
 */
function frame(pen, look, place) {
  pen.fillStyle = look.grid;
  pen.fillRect(place.left, place.top, 1, place.bottom - place.top);
  pen.fillRect(place.left, place.bottom, place.right - place.left, 1);
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Look} look
 * @param {{left: number, right: number, top: number, bottom: number}} place
 * @param {Axis} y
 * @param {string} unit
 */
function decades(pen, look, place, y, unit) {
  const middle = y.log ? Math.round((y.from + y.to) / 2) : (y.from + y.to) / 2;
  for (const at of [y.from, middle, y.to]) {
    const height = pixel({ ...y, log: false }, at);
    pen.fillStyle = look.grid;
    pen.fillRect(place.left, height, place.right - place.left, 1);
    const value = y.log ? 10 ** at : at;
    const text = unit ? `${Number((100 * value).toPrecision(3))} ${unit}` : y.log ? `1e${at}` : String(Number(value.toPrecision(2)));
    label(pen, look, text, place.left - 4, Math.min(place.bottom, Math.max(place.top + 8, height + 3)), "right");
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Look} look
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {CanvasTextAlign} align
 */
function label(pen, look, text, x, y, align) {
  pen.fillStyle = look.muted;
  pen.font = "10px system-ui, sans-serif";
  pen.textAlign = align;
  pen.fillText(text, x, y);
}
