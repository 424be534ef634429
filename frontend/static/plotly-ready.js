/** plotly.js comes beside the page's own modules: these ask for figures while the browser still compiles it. */

const script = document.getElementById("plotly");

/** @type {Promise<void>} */
const ready = new Promise((resolve, reject) => {
  if ("Plotly" in window || !script) return resolve();
  script.addEventListener("load", () => resolve());
  script.addEventListener("error", () => reject(new Error("plotly.js did not come, and charts need it; load the page again.")));
});
// Whoever draws says it; a page without a chart in sight need not.
ready.catch(() => undefined);

/** Wait until charts can be drawn. */
export function plotlyReady() {
  return ready;
}
