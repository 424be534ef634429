/** The form that launches a plan's retraining: of a plan that is stored already, or stored by the launch. */
import { send } from "./api.js";
import { byId } from "./dom.js";
import { unfoldHelp } from "./form-help.js";
import { duration } from "./numbers.js";

const form = byId("launch-form", HTMLFormElement);
const seeds = byId("seeds", HTMLInputElement);
const rounds = byId("rounds", HTMLInputElement);
const norm = byId("norm", HTMLSelectElement);
const beside = [byId("baseline", HTMLInputElement), byId("uniform", HTMLInputElement)];
const button = byId("launch", HTMLButtonElement);
const problem = byId("launch-error", HTMLElement);

/** @param {string} text */
function numbersOf(text) {
  const parts = text.split(",").map((part) => part.trim()).filter(Boolean);
  // What is no number stays text: the server's sentence then names the field.
  return parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

function request() {
  const [baseline, uniform] = beside.map((one) => one.checked);
  return {
    seeds: numbersOf(seeds.value),
    rounds: numbersOf(rounds.value)[0] ?? 1,
    baseline,
    uniform,
    norm: norm.value || null,
  };
}

/** Why the form cannot be sent; empty where it can. */
function wrong() {
  const given = numbersOf(seeds.value);
  if (!given.length || given.some((one) => typeof one !== "number")) return "Seeds are whole numbers separated by commas, such as 0, 1, 2.";
  if (new Set(given).size < given.length) return "Seeds must differ: two runs of one seed are the same run.";
  if (given.length > 20) return "At most 20 seeds can be launched at once.";
  const times = Number(rounds.value);
  return Number.isInteger(times) && times >= 1 && times <= 20 ? "" : "Rounds are a whole number from 1 to 20.";
}

function say() {
  const sentence = wrong();
  show(sentence);
  if (sentence) {
    byId("launch-count", HTMLElement).textContent = "";
    return;
  }
  const { now, later, counted } = planned();
  const runs = `${now} run${now === 1 ? "" : "s"}`;
  const sum = later ? `${runs} now, ${later} in later rounds` : runs;
  byId("launch-count", HTMLElement).textContent = `${sum}${time(now + later)}${counted}`;
}

/** How many runs would be queued, and whether the source spares one of them. */
function planned() {
  const given = numbersOf(seeds.value);
  const kinds = 1 + beside.filter((one) => one.checked).length;
  const [baseline] = beside;
  const seed = form.dataset.sourceSeed ?? "";
  // With another norm it is another network.
  const spared = seed !== "" && baseline.checked && !norm.value && given.includes(Number(seed));
  const later = (Number(rounds.value) - 1) * given.length;
  const counted = spared ? `. The source is the baseline's seed ${seed} already` : "";
  return { now: given.length * kinds - Number(spared), later, counted };
}

/** @param {number} runs */
function time(runs) {
  const seconds = Number(form.dataset.sourceSeconds);
  return seconds ? `, about ${duration(seconds * runs)} one after another if each takes as long as the source` : "";
}

/** @param {string} sentence */
function show(sentence) {
  problem.textContent = sentence;
  problem.hidden = !sentence;
}

/** @param {unknown} error */
function fail(error) {
  show(error instanceof Error ? error.message : String(error));
}

/**
 * Launch when the form is sent, then show the plan's page.
 * @param {() => Promise<number>} planId of the plan to launch from; stores it where it is not stored yet
 * @param {boolean} stores whether `planId` stored the plan, so that a refused launch takes it back
 */
export function attachLaunch(planId, stores) {
  unfoldHelp(form);
  form.addEventListener("input", say);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const sentence = wrong();
    if (sentence) return show(sentence);
    button.disabled = true;
    show("");
    try {
      const id = await planId();
      try {
        await send("POST", `/width-plans/${id}/runs`, request());
      } catch (error) {
        if (stores) await send("DELETE", `/width-plans/${id}`);
        throw error;
      }
      location.assign(`/widths/${id}`);
    } catch (error) {
      fail(error);
      button.disabled = false;
    }
  });
  document.getElementById("store")?.addEventListener("click", async () => {
    try {
      location.assign(`/widths/${await planId()}`);
    } catch (error) {
      fail(error);
    }
  });
  say();
}

/** @param {boolean} possible whether there is a plan to launch */
export function allowLaunch(possible) {
  button.disabled = !possible;
  const store = document.getElementById("store");
  if (store instanceof HTMLButtonElement) store.disabled = !possible;
}
