/** How losses and metrics are drawn: averaged over how many iterations, on which axis. Kept in the address. */
import { setKey } from "./address.js";
import { byId } from "./dom.js";
import { integer } from "./numbers.js";

/** @typedef {import("./explorer.js").Explorer} Explorer */

const PAUSE_MS = 150;
/** The share of a run that is averaged over without a wish, as `frontend.figures.smoothing` has it. */
const AUTO_SHARE = 40;
/** Figures that are averaged, and those that have a choice of axis. */
const SMOOTHED = ["losses", "metric"];
const SCALED = ["losses"];

/**
 * @param {Explorer} explorer whose charts are drawn anew
 * @returns {(() => void) | undefined} what to call when it has got another chart; none where the page has no control
 */
export function controlLook(explorer) {
  const range = document.getElementById("smooth");
  if (!(range instanceof HTMLInputElement)) return undefined;
  const output = byId("smooth-text", HTMLOutputElement);
  const auto = byId("smooth-auto", HTMLButtonElement);
  const scales = byId("loss-scale", HTMLElement);
  const steps = memories(Number(range.dataset.iterations));
  const query = new URLSearchParams(location.search);
  const asked = query.get("smooth");
  let memory = asked !== null && Number(asked) >= 0 && Number.isFinite(Number(asked)) ? Number(asked) : null;
  let scale = query.get("loss") === "linear" ? "linear" : "log";
  range.max = String(steps.length - 1);
  for (const one of scales.querySelectorAll("input")) one.checked = one.value === scale;

  const say = () => {
    const shown = memory ?? Number(range.dataset.iterations) / AUTO_SHARE;
    if (Number(steps[Number(range.value)]) !== memory) range.value = String(nearest(steps, shown));
    output.textContent = memory === null ? "auto" : memory === 0 ? "off" : `${integer(memory)} iterations`;
    output.title = memory === null ? "A fortieth of the run" : "";
    auto.hidden = memory === null;
  };
  const aim = () => {
    for (const chart of explorer.charts) {
      const wanted = new URLSearchParams();
      if (SMOOTHED.includes(chart.figure) && memory !== null) wanted.set("smooth", String(memory));
      if (SCALED.includes(chart.figure) && scale !== "log") wanted.set("yscale", scale);
      chart.element.dataset.query = wanted.toString();
    }
  };
  /** @type {number | undefined} */
  let later;
  /** @param {string[]} figures */
  const redraw = (figures) => {
    say();
    clearTimeout(later);
    later = window.setTimeout(() => {
      setKey("smooth", memory === null ? "" : String(memory));
      setKey("loss", scale === "log" ? "" : scale);
      aim();
      for (const chart of explorer.charts) if (figures.includes(chart.figure)) chart.show(explorer.view);
    }, PAUSE_MS);
  };
  range.addEventListener("input", () => {
    memory = steps[Number(range.value)];
    redraw(SMOOTHED);
  });
  auto.addEventListener("click", () => {
    memory = null;
    redraw(SMOOTHED);
    range.focus();
  });
  scales.addEventListener("change", ({ target }) => {
    scale = target instanceof HTMLInputElement ? target.value : scale;
    redraw(SCALED);
  });
  say();
  aim();
  return aim;
}

/**
 * Off, then 1, 2, 3, 5, 7 of each decade up to half of the run.
 * @param {number} iterations
 */
function memories(iterations) {
  const found = [0];
  for (let decade = 1; decade <= Math.max(10, iterations / 2); decade *= 10) {
    for (const digit of [1, 2, 3, 5, 7]) if (digit * decade <= Math.max(10, iterations / 2)) found.push(digit * decade);
  }
  return found;
}

/**
 * @param {number[]} steps
 * @param {number} value
 */
function nearest(steps, value) {
  const away = (/** @type {number} */ step) => Math.abs(Math.log(step + 0.5) - Math.log(value + 0.5));
  return steps.reduce((best, step, k) => (away(step) < away(steps[best]) ? k : best), 0);
}
