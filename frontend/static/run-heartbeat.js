/** How long ago a running run was heard of, counting on; asked for while nothing else tells it. */
import { getJson } from "./api.js";
import { duration } from "./numbers.js";

const ASK_EVERY_MS = 5000;

/** @param {number} run */
export function watchHeartbeat(run) {
  let element = document.getElementById("heartbeat");
  let base = Number(element?.dataset.age);
  let at = performance.now();
  let asked = at;
  let silent = false;

  /** Take over what the page's last state says. */
  const read = () => {
    element = document.getElementById("heartbeat");
    base = Number(element?.dataset.age);
    at = asked = performance.now();
    silent = false;
    tick();
  };

  const ask = async () => {
    asked = performance.now();
    try {
      const found = await getJson(`/runs/${run}/heartbeat`);
      if (!found) return;
      base = found.age_seconds;
      at = performance.now();
      silent = false;
    } catch {
      silent = true;
    }
  };

  const tick = () => {
    if (!element || document.hidden) return;
    const age = base + (performance.now() - at) / 1000;
    const { stale, lost } = element.dataset;
    element.classList.toggle("stale", silent || age > Number(stale));
    element.textContent = silent ? "the server does not answer" : words(age, Number(stale), Number(lost));
    if (performance.now() - asked > ASK_EVERY_MS) ask();
  };
  setInterval(tick, 1000);
  tick();
  return read;
}

/**
 * @param {number} age
 * @param {number} stale
 * @param {number} lost
 */
function words(age, stale, lost) {
  if (age <= stale) return `heard from ${duration(age)} ago`;
  const left = lost - age;
  return `silent for ${duration(age)}; ${left > 0 ? `taken for lost in ${duration(left)}` : "it is taken for lost"}`;
}
