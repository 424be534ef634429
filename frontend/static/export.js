/** A chart's menu: PNG, SVG, CSV, link. */
import { csvOf } from "./csv.js";
import { copied, toast } from "./dom.js";

/** @typedef {import("./charts.js").Chart} Chart */

/** @param {Chart} chart */
export function attachMenu(chart) {
  chart.element.querySelector(".menu")?.addEventListener("click", async (event) => {
    const kind = event.target instanceof HTMLElement ? event.target.dataset.save : undefined;
    if (!kind) return;
    closeMenu(chart);
    if (kind === "link") return copyLink(chart);
    if (!chart.loaded || chart.element.dataset.state === "empty") return toast("This chart has nothing to save yet.", "error");
    if (kind === "csv") return save(csvOf(chart.plot), `${fileName(chart)}.csv`);
    await saveImage(chart, kind);
  });
}

/** @param {Chart} chart */
function closeMenu({ element }) {
  const menu = element.querySelector(".menu");
  menu?.removeAttribute("open");
  menu?.querySelector("summary")?.focus({ preventScroll: true });
}

/** @param {Chart} chart */
function fileName(chart) {
  return `eigenscope-${chart.figure.split("/")[0]}-${chart.element.dataset.subject ?? chart.runs.replaceAll(",", "-")}`;
}

/**
 * The address holds the whole view; with the chart's name it opens where the chart stands.
 * @param {Chart} chart
 */
async function copyLink({ element }) {
  const link = `${location.href.split("#")[0]}#${element.id}`;
  if (await copied(link)) toast("Link copied; it opens this view at this chart.");
  else toast(`The browser did not allow copying. The link is: ${link}`, "error");
}

/**
 * @param {Chart} chart
 * @param {string} format
 */
async function saveImage(chart, format) {
  const { data, layout } = chart.plot;
  const { width, height } = chart.plot.getBoundingClientRect();
  const margin = /** @type {{t: number}} */ (layout.margin ?? { t: 8 });
  const titled = { ...layout, title: { text: layout.meta.title }, margin: { ...margin, t: 52 } };
  const size = { width: Math.round(width), height: Math.round(height) + 44, scale: format === "png" ? 2 : 1 };
  await Plotly.downloadImage({ data, layout: titled }, { format, filename: fileName(chart), ...size });
}

/**
 * @param {string} text
 * @param {string} name
 */
function save(text, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
