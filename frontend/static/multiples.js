/** Several layers beside each other under the one cursor: each is fetched and drawn only while it is in sight. */
import { writeView } from "./address.js";
import { byId } from "./dom.js";
import { attachExport } from "./multiples-export.js";
import { knownSpectra, spectraOf } from "./spectra.js";
import { SmallChart } from "./small-chart.js";

/** @typedef {import("./explorer.js").Explorer} Explorer */
/** @typedef {import("./small-chart.js").Line} Line */

const AT_ONCE = 4;

export class Multiples {
  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    this.section = document.getElementById("multiples");
    /** @type {Map<string, SmallChart>} by layer, in network order */
    this.charts = new Map();
    /** @type {Map<string, {got: number, of: number, problem: string}>} by layer, of those on their way */
    this.coming = new Map();
    this.running = 0;
    /** Layers to be drawn in the next frame; the others stand. @type {Set<string>} */
    this.fresh = new Set();
    this.frame = 0;
    /** The common scale that the charts were drawn on. */
    this.scale = "";
    /** @type {Map<string, string>} */
    this.colours = new Map();
    this.sight = new IntersectionObserver((entries) => this.#look(entries), { rootMargin: "160px" });
    document.addEventListener("themechange", () => this.redraw());
    document.getElementById("many")?.addEventListener("change", (event) => this.#switched(event));
    // Over the full screen the pictures are larger.
    if (this.section) new ResizeObserver(() => explorer.redraw()).observe(this.section);
    if (this.section) attachExport(this.section, explorer, () => [...this.charts.keys()]);
    this.#checkKind();
  }

  /** @returns {"spectrum" | "dimension"} */
  get kind() {
    return this.explorer.view.many === "dimension" ? "dimension" : "spectrum";
  }

  #checkKind() {
    for (const radio of document.querySelectorAll("#many input")) {
      if (radio instanceof HTMLInputElement) radio.checked = radio.value === this.kind;
    }
  }

  /** @param {Event} event */
  #switched(event) {
    if (!(event.target instanceof HTMLInputElement)) return;
    this.explorer.view.many = event.target.value === "dimension" ? "dimension" : "";
    writeView(this.explorer.view);
    this.#fetchSeen();
    this.redraw();
  }

  /** @param {string[]} names in network order */
  show(names) {
    if (!this.section) return;
    const wanted = new Set(names);
    for (const [name, chart] of this.charts) {
      if (wanted.has(name)) continue;
      this.sight.unobserve(chart.element);
      chart.element.remove();
      this.charts.delete(name);
    }
    const grid = byId("multiples-grid", HTMLElement);
    const kept = this.charts;
    this.charts = new Map();
    let place = grid.firstElementChild;
    for (const layer of this.explorer.page.layers.filter((one) => wanted.has(one.name))) {
      const known = kept.get(layer.name);
      const chart = known ?? new SmallChart(layer, (name) => this.explorer.setLayer(name));
      this.charts.set(layer.name, chart);
      if (known) place = known.element.nextElementSibling;
      else {
        grid.insertBefore(chart.element, place);
        this.sight.observe(chart.element);
      }
    }
    const opened = this.section.hidden && this.charts.size > 0;
    this.section.hidden = !this.charts.size;
    // The browser looked for the place that a link names before there was one.
    if (opened && location.hash === "#multiples") requestAnimationFrame(() => this.section?.scrollIntoView());
    byId("multiples-count", HTMLElement).textContent = `${this.charts.size} ${this.charts.size === 1 ? "layer" : "layers"}`;
    this.explorer.redraw();
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #look(entries) {
    for (const entry of entries) {
      const chart = entry.target instanceof HTMLElement ? this.charts.get(entry.target.dataset.layer ?? "") : undefined;
      if (!chart) continue;
      chart.seen = entry.isIntersecting;
      if (!chart.seen) chart.release();
      else this.#drawSoon(chart.layer.name);
    }
    this.#fetchSeen();
  }

  /** Fetch what the charts in sight lack, a few layers at a time. */
  #fetchSeen() {
    if (this.kind !== "spectrum") return;
    for (const [layer, chart] of this.charts) {
      if (this.running >= AT_ONCE) return;
      if (chart.seen && !this.coming.has(layer) && this.#lacking(layer).length) this.#fetch(layer);
    }
  }

  /** @param {string} layer */
  #lacking(layer) {
    return this.explorer.measured.holders(layer).filter((run) => !knownSpectra(run.id, layer));
  }

  /** @param {string} layer */
  async #fetch(layer) {
    const runs = this.#lacking(layer);
    const state = { got: 0, of: runs.length, problem: "" };
    this.coming.set(layer, state);
    this.running++;
    const answers = runs.map((run) =>
      spectraOf(run.id, layer).then(
        () => state.got++,
        (error) => (state.problem = error instanceof Error ? error.message : String(error)),
      ),
    );
    await Promise.all(answers);
    this.running--;
    if (!state.problem) this.coming.delete(layer);
    this.#drawSoon(layer);
    this.#fetchSeen();
  }

  /** Take over what live runs have measured since. */
  extend() {
    this.coming.clear();
    for (const [layer, chart] of this.charts) {
      if (chart.seen && this.kind === "spectrum") for (const run of this.explorer.measured.holders(layer)) void spectraOf(run.id, layer).catch(() => undefined);
    }
    this.explorer.redraw();
  }

  redraw() {
    this.colours.clear();
    this.explorer.redraw();
  }

  /**
   * Draw this layer in the next frame, and the others only where it moves the scale that all share.
   * @param {string} layer
   */
  #drawSoon(layer) {
    this.fresh.add(layer);
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.#draw((name) => this.fresh.has(name));
    });
  }

  draw() {
    this.#draw(() => true);
  }

  /** @param {(layer: string) => boolean} wanted */
  #draw(wanted) {
    const seen = [...this.charts.values()].filter((chart) => chart.seen);
    if (!seen.length) return void this.fresh.clear();
    const look = this.#appearance();
    const scale = `${look.widest} ${look.highest}`;
    const drawn = scale === this.scale ? seen.filter((chart) => wanted(chart.layer.name)) : seen;
    this.scale = scale;
    this.fresh.clear();
    for (const chart of drawn) chart.draw(this.explorer, look, this.#stateOf(chart.layer.name));
  }

  /** @param {string} layer */
  #stateOf(layer) {
    if (this.kind === "dimension") return this.explorer.dimensions.size ? "" : "Loading…";
    if (!this.explorer.measured.holders(layer).length) return "Nothing measured yet.";
    const coming = this.coming.get(layer);
    if (coming?.problem) return coming.problem;
    if (coming && coming.got < coming.of) return `${coming.got} of ${coming.of} runs`;
    return this.#lacking(layer).length ? "Loading…" : "";
  }

  /** @returns {import("./small-chart.js").Look} */
  #appearance() {
    let [widest, highest] = [1, 1e-6];
    for (const { layer } of this.charts.values()) {
      widest = Math.max(widest, layer.width);
      for (const run of layer.runs) highest = Math.max(highest, largestOf(knownSpectra(run, layer.name)));
    }
    const colour = (/** @type {string} */ name) => this.#colour(name);
    const { page, bands } = this.explorer;
    const banded = new Set(bands.flatMap((band) => band.runs));
    /** @type {Line[]} */
    const lines = [];
    for (const run of page.runs) {
      const band = bands.find((one) => one.runs[0] === run.id);
      if (band) lines.push({ runs: band.runs, colour: colour(band.colour), dash: band.dash });
      else if (!banded.has(run.id)) lines.push({ runs: [run.id], colour: colour(run.colour), dash: run.dash });
    }
    return { lines, ink: colour("ink-probe"), muted: colour("muted"), grid: colour("line-probe"), widest, highest, kind: this.kind };
  }

  /** @param {string} name of a class that carries a colour */
  #colour(name) {
    const known = this.colours.get(name);
    if (known) return known;
    const probe = document.createElement("i");
    probe.className = `probe ${name}`;
    this.section?.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    this.colours.set(name, found);
    return found;
  }
}

/** @type {WeakMap<import("./spectra.js").Block, number>} */
const largest = new WeakMap();

/** @param {import("./spectra.js").Block | null} block */
function largestOf(block) {
  if (!block) return 0;
  const known = largest.get(block);
  if (known !== undefined) return known;
  let most = 0;
  for (let row = 0; row < block.iterations.length; row++) most = Math.max(most, block.values[row * block.width]);
  largest.set(block, most);
  return most;
}
