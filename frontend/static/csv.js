/** The drawn numbers of a chart as a table for spreadsheets. */

/**
 * Return the drawn numbers: of a heatmap its layers by iterations, of anything else one point a line.
 * @param {PlotlyElement} plot
 */
export function csvOf(plot) {
  const { layers = [] } = plot.layout.meta;
  const heatmap = plot._fullData.find((trace) => trace.type === "heatmap");
  if (heatmap?.z && heatmap.x && heatmap.y) {
    const head = ["layer", ...Array.from(heatmap.x, String)];
    return [head, ...Array.from(heatmap.z, (row, k) => [layers[k], ...Array.from(row, finite)])].map(csvLine).join("");
  }
  const lying = plot._fullData.some((trace) => trace.orientation === "h" && trace.type === "bar");
  const categories = (lying ? plot.layout.yaxis : plot.layout.xaxis)?.categoryarray ?? [];
  // Along layers, the axis' categories are text for people, with notes and entities; the file gets the names.
  const nameOf = (/** @type {unknown} */ x) => (layers.length ? layers[categories.indexOf(String(x))] : String(x));
  const lines = [["trace", "x", "y"]];
  for (const trace of plot._fullData) {
    const [x = [], y = []] = trace.orientation === "h" ? [trace.y, trace.x] : [trace.x, trace.y];
    const name = [plain(trace.name ?? ""), trace.meta?.metric, trace.meta?.part].filter(Boolean).join(" ");
    // What has no name is no number of its own, but carries a line to the edge of the chart.
    for (let k = 0; k < x.length; k++) if (nameOf(x[k]) !== "") lines.push([name, nameOf(x[k]), finite(Number(y[k]))]);
  }
  return lines.map(csvLine).join("");
}

/**
 * What plotly shows of a label: its entities as letters, without the tags of ours (AP<sub>50</sub>). Nothing in it runs.
 * @param {string} label
 */
function plain(label) {
  return new DOMParser().parseFromString(label, "text/html").body.textContent ?? "";
}

/** @param {number} value */
function finite(value) {
  return Number.isFinite(value) ? String(value) : "";
}

/** @param {string[]} cells */
export function csvLine(cells) {
  return `${cells.map(defused).map(quoted).join(",")}\r\n`;
}

/**
 * What a spreadsheet would run as a formula is told to be text; numbers keep their sign.
 * @param {string} cell
 */
function defused(cell) {
  return /^[=+\-@\t\r]/.test(cell) && Number.isNaN(Number(cell)) ? `'${cell}` : cell;
}

/** @param {string} cell */
function quoted(cell) {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
