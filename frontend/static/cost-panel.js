/** What a run will cost, in the panel beside the form. */
import { byId, make } from "./dom.js";
import { count, integer } from "./numbers.js";

/**
 * @typedef {{seconds: number, whole: boolean, run_id: number, run_name: string, device: string}} Time
 * @typedef {{parameters: number, backbone_parameters: number, macs: number, iterations: number, epochs: number,
 *   snapshots: number, layers: number, spectra_bytes: number, checkpoint_bytes: number, training_bytes: number,
 *   time: Time | null, warnings: string[]}} Cost
 */

/**
 * Show the cost of each of one or two runs, which differ in their first weights only.
 * @param {Cost[]} costs
 */
export function showCost(costs) {
  const [cost] = costs;
  const snapshots = cost.snapshots ? `${integer(cost.snapshots)} of ${integer(cost.layers)} layers` : "none";
  const texts = {
    parameters: count(cost.parameters),
    backbone: count(cost.backbone_parameters),
    macs: count(cost.macs),
    iterations: integer(cost.iterations),
    epochs: cost.epochs < 10 ? cost.epochs.toPrecision(2) : integer(cost.epochs),
    snapshots,
    spectra: size(cost.spectra_bytes),
    checkpoints: size(cost.checkpoint_bytes),
    memory: size(cost.training_bytes),
    time: cost.time ? about(cost.time.seconds) : "not known yet",
  };
  for (const [name, text] of Object.entries(texts)) byId(`cost-${name}`, HTMLElement).textContent = text;
  showSource(cost.time);
  const warnings = [...new Set(costs.flatMap((one) => one.warnings))];
  byId("cost-warnings", HTMLElement).replaceChildren(...warnings.map((text) => make("li", text)));
  const time = cost.time ? `, ${texts.time}` : "";
  byId("launch-summary", HTMLElement).textContent = `${texts.parameters} parameters, ${texts.iterations} iterations${time}`;
  stale(false);
}

/**
 * Say whether the numbers are those of the form as it stands.
 * @param {boolean} old
 */
export function stale(old) {
  byId("cost", HTMLElement).classList.toggle("stale", old);
}

/** @param {Time | null} time */
function showSource(time) {
  const line = byId("cost-source", HTMLElement);
  if (!time) {
    line.textContent = "Time is told once a similar run has finished.";
    return;
  }
  const link = document.createElement("a");
  link.href = `/runs/${time.run_id}`;
  link.textContent = time.run_name;
  const rest = time.whole ? "" : "; probing and evaluation come on top";
  line.replaceChildren("Time as of ", link, ` on ${time.device}${rest}.`);
}

/**
 * A number of bytes in binary units, with three digits.
 * @param {number} bytes
 */
function size(bytes) {
  const units = /** @type {[number, string][]} */ ([[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]]);
  const [unit, name] = units.find(([one]) => bytes >= one) ?? [1, "B"];
  const value = bytes / unit;
  return bytes ? `${value >= 99.95 ? Math.round(value) : Number(value.toPrecision(3))} ${name}` : "none";
}

/**
 * A time that is an estimate, with no more digits than it carries.
 * @param {number} seconds
 */
function about(seconds) {
  const units = /** @type {[number, string][]} */ ([[86400, "d"], [3600, "h"], [60, "min"]]);
  const [unit, name] = units.find(([one]) => seconds >= 1.5 * one) ?? [1, "s"];
  const value = seconds / unit;
  return `about ${value < 9.5 && unit > 1 ? Number(value.toPrecision(2)) : Math.max(1, Math.round(value))} ${name}`;
}
