/** The link to a report takes the page's view along: what its address says, and its View panel as it stands. */
import { toast } from "./dom.js";

const VIEW = ["y", "xs", "ys", "x", "align", "band"];
/** As a report takes them. */
const LAYERS_AT_MOST = 8;

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-report]") : null;
  if (!(link instanceof HTMLAnchorElement)) return;
  const view = new URLSearchParams(location.search);
  const asked = new URLSearchParams({ runs: link.dataset.report ?? "" });
  for (const key of ["c", "t"]) if (view.has(key)) asked.set(key, view.get(key) ?? "");
  for (const key of VIEW) {
    // Of the panel and not of the address, which may name what the page does not offer.
    const select = document.getElementById(`view-${key}`);
    if (select instanceof HTMLSelectElement && select.selectedIndex > 0) asked.set(key, select.value);
  }
  const place = asked.get("align") === "progress" ? "p" : "i";
  if (view.has(place)) asked.set(place, view.get(place) ?? "");
  for (const name of layers(view.get("layer"))) asked.append("layer", name);
  link.href = `/report?${asked}`;
});

/**
 * The layer under the cursor and those beside it, as many as a report takes.
 * @param {string | null} layer
 */
function layers(layer) {
  const small = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#multiples-grid [data-layer]"));
  const shown = [...small].map((one) => one.dataset.layer ?? "");
  const names = [...new Set([...(layer ? [layer] : []), ...shown])];
  if (names.length > LAYERS_AT_MOST) {
    toast(`A report holds ${LAYERS_AT_MOST} layers: the one under the cursor and the first of the ${shown.length} ticked.`);
  }
  return names.slice(0, LAYERS_AT_MOST);
}
