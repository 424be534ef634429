/** What one step of the scrubber means for each run: the same iteration, or the same share of its training. */
import { integer, lastAt, shortPercent } from "./numbers.js";

/** @typedef {import("./explorer.js").ViewRun} ViewRun */

/** Shares of two trainings that differ by less are one step. */
const EQUAL = 1e-6;

export class Timeline {
  /**
   * @param {ViewRun[]} runs
   * @param {number[]} iterations at which any of them has a snapshot, rising
   * @param {"iteration" | "progress"} align
   */
  constructor(runs, iterations, align) {
    this.align = align;
    this.runs = new Map(runs.map((run) => [run.id, run]));
    /** Rising: iterations, or percents of each run's training. */
    this.steps = align === "progress" ? percents(runs) : iterations;
  }

  /**
   * The iteration of a run that a step stands for.
   * @param {number} run
   * @param {number} step
   */
  iterationOf(run, step) {
    if (this.align === "iteration") return step;
    return ((step + EQUAL) / 100) * (this.runs.get(run)?.total ?? 0);
  }

  /**
   * The step at which a run is at an iteration.
   * @param {number | undefined} run
   * @param {number} iteration
   */
  stepOf(run, iteration) {
    if (this.align === "iteration") return iteration;
    return percent(iteration, this.runs.get(run ?? this.runs.keys().next().value ?? 0)?.total ?? 1);
  }

  /**
   * The index of the last step not after `step`.
   * @param {number} step
   */
  indexOf(step) {
    return Math.max(0, lastAt(this.steps, step + (this.align === "progress" ? 0.005 : 0)));
  }

  /** @param {number} index */
  short(index) {
    if (!this.steps.length) return "";
    return this.align === "progress" ? shortPercent(this.steps[index]) : integer(this.steps[index]);
  }

  /** @param {number} index */
  words(index) {
    if (!this.steps.length) return "no snapshot";
    const step = this.steps[index];
    if (this.align === "progress") return `${shortPercent(step)} of training`;
    return `${integer(step)} of ${integer(this.steps[this.steps.length - 1])}`;
  }
}

/**
 * @param {number} iteration
 * @param {number} total
 */
function percent(iteration, total) {
  return total > 0 ? (100 * iteration) / total : 0;
}

/** @param {ViewRun[]} runs */
function percents(runs) {
  const every = runs.flatMap((run) => run.iterations.map((iteration) => percent(iteration, run.total)));
  every.sort((a, b) => a - b);
  return every.filter((one, k) => k === 0 || one - every[k - 1] > EQUAL);
}
