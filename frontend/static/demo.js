/** The demo: one button that queues its runs, and their progress, live. */
import { getJson, send } from "./api.js";
import { byId } from "./dom.js";
import { refreshRegions, settled, watchRuns } from "./live.js";

const LOOK_MS = 5000;

/** @param {HTMLButtonElement} button */
function offer(button) {
  button.addEventListener("click", async () => {
    const error = byId("demo-error", HTMLElement);
    button.disabled = true;
    button.textContent = "Drawing the images…";
    error.hidden = true;
    try {
      await send("POST", "/demo");
      location.assign("/demo");
    } catch (reason) {
      error.textContent = reason instanceof Error ? reason.message : String(reason);
      error.hidden = false;
      button.disabled = false;
      button.textContent = "Run the demo";
    }
  });
  // A page that comes back from the browser's memory has its button as it was left.
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
  lookForWorkers();
  setInterval(() => document.hidden || lookForWorkers(), LOOK_MS);
}

async function lookForWorkers() {
  const workers = await getJson("/workers").catch(() => null);
  if (workers) byId("demo-worker", HTMLElement).hidden = workers.some((/** @type {{alive: boolean}} */ one) => one.alive);
}

const button = document.getElementById("run-demo");
if (button instanceof HTMLButtonElement) offer(button);

if (document.getElementById("demo")) {
  const refresh = settled(async () => void (await refreshRegions()));
  watchRuns(() => refresh());
  // Whether a worker is alive is no change of a run.
  setInterval(() => document.hidden || refresh(), LOOK_MS);
}
