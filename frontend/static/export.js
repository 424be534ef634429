/** A chart's menu: PNG, SVG, CSV, link. */
import { toast } from "./dom.js";

/** @typedef {import("./charts.js").Chart} Chart */

/** @param {Chart} chart */
export function attachMenu(chart) {
  chart.element.querySelector(".menu")?.addEventListener("click", async (event) => {
    const kind = event.target instanceof HTMLElement ? event.target.dataset.save : undefined;
    if (!kind) return;
    chart.element.querySelector(".menu")?.removeAttribute("open");
    if (kind === "link") return copyLink();
    if (!chart.loaded) return toast("This chart has nothing to save yet.", "error");
    if (kind === "csv") return save(csvOf(chart.plot), `${fileName(chart)}.csv`);
    await saveImage(chart, kind);
  });
}

/** @param {Chart} chart */
function fileName(chart) {
  return `eigenscope-${chart.figure.split("/")[0]}-${chart.element.dataset.subject ?? chart.runs.replaceAll(",", "-")}`;
}

async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    toast("Link copied; it opens this view.");
  } catch {
    toast(`The browser did not allow copying. The link is: ${location.href}`, "error");
  }
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
 * Return the drawn numbers, one point a line.
 * @param {PlotlyElement} plot
 */
export function csvOf(plot) {
  const heatmap = plot._fullData.find((trace) => trace.type === "heatmap");
  if (heatmap?.z && heatmap.x && heatmap.y) {
    const { layers = [] } = plot.layout.meta;
    const head = ["layer", ...Array.from(heatmap.x, String)];
    return [head, ...Array.from(heatmap.z, (row, k) => [layers[k], ...Array.from(row, finite)])].map(csvLine).join("");
  }
  const { layers = [] } = plot.layout.meta;
  const categories = plot.layout.xaxis?.categoryarray ?? [];
  // Along layers, the axis' categories are text for people, with notes and entities; the file gets the names.
  const nameOf = (/** @type {unknown} */ x) => (layers.length ? layers[categories.indexOf(String(x))] : String(x));
  const lines = [["trace", "x", "y"]];
  for (const trace of plot._fullData) {
    const [x = [], y = []] = trace.orientation === "h" ? [trace.y, trace.x] : [trace.x, trace.y];
    const name = [trace.name ?? "", trace.meta?.metric, trace.meta?.part].filter(Boolean).join(" ");
    // What has no name is no number of its own, but carries a line to the edge of the chart.
    for (let k = 0; k < x.length; k++) if (nameOf(x[k]) !== "") lines.push([name, nameOf(x[k]), finite(Number(y[k]))]);
  }
  return lines.map(csvLine).join("");
}

/** @param {number} value */
function finite(value) {
  return Number.isFinite(value) ? String(value) : "";
}

/** @param {string[]} cells */
function csvLine(cells) {
  // A leading = + - @ would run as a formula in a spreadsheet; numbers keep their sign.
  const safe = (/** @type {string} */ cell) => (/^[=+\-@]/.test(cell) && Number.isNaN(Number(cell)) ? `'${cell}` : cell);
  return `${cells.map((cell) => (/[",\n]/.test(cell) ? `"${safe(cell).replaceAll('"', '""')}"` : safe(cell))).join(",")}\r\n`;
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
