/** A chart's menu: PNG, SVG, CSV, link. */
import { csvOf } from "./csv.js";
import { copied, toast } from "./dom.js";

/** @typedef {import("./charts.js").Chart} Chart */

/** @param {Chart} chart */
export function attachMenu(chart) {
  onMenu(chart.element, async (kind) => {
    if (!chart.loaded || chart.element.dataset.state === "empty") return toast("This chart has nothing to save yet.", "error");
    if (kind === "csv") return save(csvOf(chart.plot), `${fileName(chart)}.csv`);
    await saveImage(chart, kind);
  });
}

/**
 * Act on what is chosen in an element's menu; its link is copied here.
 * @param {HTMLElement} element
 * @param {(kind: string) => Promise<unknown> | unknown} act
 */
export function onMenu(element, act) {
  element.querySelector(".menu")?.addEventListener("click", (event) => {
    const kind = event.target instanceof HTMLElement ? event.target.dataset.save : undefined;
    if (!kind) return;
    closeMenu(element);
    if (kind === "link") void copyLink(element);
    else void act(kind);
  });
}

/** @param {HTMLElement} element */
function closeMenu(element) {
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
 * @param {HTMLElement} element
 */
async function copyLink(element) {
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
  // A figure of many rows is higher than the place in which it is scrolled.
  const whole = typeof layout.height === "number" ? layout.height : height;
  await saveFigure({ data, layout }, format, fileName(chart), { width, height: whole });
}

/**
 * @param {PlotlyFigure} figure
 * @param {string} format
 * @param {string} filename
 * @param {{width: number, height: number}} place in pixels, without the title
 */
export async function saveFigure({ data, layout }, format, filename, { width, height }) {
  const margin = /** @type {{t?: number}} */ (layout.margin ?? {});
  const titled = { ...layout, title: { text: layout.meta.title, yref: "container", y: 1, yanchor: "top", pad: { t: 16 } }, margin: { ...margin, t: (margin.t ?? 8) + 44 } };
  const size = { width: Math.round(width), height: Math.round(height) + 44, scale: format === "png" ? 2 : 1 };
  await Plotly.downloadImage({ data, layout: titled }, { format, filename, ...size });
}

/**
 * @param {string} text
 * @param {string} name
 */
export function save(text, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
