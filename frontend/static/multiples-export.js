/** The grid of layers as a picture or a table: the server draws it as a figure of its own, whole, whatever is in sight. */
import { getJson } from "./api.js";
import { csvLine } from "./csv.js";
import { toast } from "./dom.js";
import { onMenu, save, saveFigure } from "./export.js";
import { attachFullScreen } from "./full-screen.js";
import { packed } from "./layer-set.js";
import { currentTheme } from "./page.js";

/** @typedef {import("./explorer.js").Explorer} Explorer */
/** @typedef {{dtype: string, bdata: string} | ArrayLike<unknown>} Numbers as plotly's JSON has them */

/** @type {Record<string, new (bytes: ArrayBuffer) => ArrayLike<number>>} */
const ARRAYS = { f4: Float32Array, f8: Float64Array, i1: Int8Array, i2: Int16Array, i4: Int32Array, u1: Uint8Array, u2: Uint16Array, u4: Uint32Array };

/**
 * @param {HTMLElement} section
 * @param {Explorer} explorer
 * @param {() => string[]} names the layers shown, in network order
 */
export function attachExport(section, explorer, names) {
  attachFullScreen({ element: section });
  onMenu(section, async (kind) => {
    const file = `eigenscope-multiples-${explorer.page.runs.map((run) => run.id).join("-")}`;
    section.setAttribute("aria-busy", "true");
    toast("Drawing all layers…");
    try {
      const figure = await getJson(`/figures/multiples?${asked(explorer, names(), kind === "csv")}`);
      if (kind === "csv") save(tableOf(figure, explorer), `${file}.csv`);
      else await saveFigure(figure, kind, file, figure.layout);
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), "error");
    }
    section.removeAttribute("aria-busy");
  });
}

/**
 * @param {Explorer} explorer
 * @param {string[]} names
 * @param {boolean} asTable every run's own numbers, not what the picture makes of them
 */
function asked({ view, page }, names, asTable) {
  const query = new URLSearchParams({ runs: page.runs.map((run) => run.id).join(","), theme: currentTheme() });
  query.set("layers", packed(page.layers, new Set(names), ""));
  query.set("show", view.many === "dimension" ? "dimension" : "spectrum");
  query.set("criterion", view.criterion);
  if (view.threshold) query.set("threshold", view.threshold);
  if (typeof view.iteration === "number") query.set("iteration", String(view.iteration));
  if (view.align) query.set("align", view.align);
  if (asTable) return query;
  for (const key of /** @type {const} */ (["y", "xs", "ys", "x", "band"])) if (view[key]) query.set(key, view[key]);
  return query;
}

/**
 * One eigenvalue a line, or one snapshot's dimensionality.
 * @param {PlotlyFigure} figure
 * @param {Explorer} explorer
 */
function tableOf(figure, explorer) {
  const ofSpectra = explorer.view.many !== "dimension";
  const quantity = figure.layout.meta.unit === "in units of α" ? "slope" : "dimensionality";
  const head = ofSpectra ? ["iteration", "j", "eigenvalue"] : ["iteration", quantity, "width"];
  const lines = [csvLine(["layer", "run", "name", ...head])];
  const { layers = [] } = figure.layout.meta;
  for (const { meta, x, y } of figure.data) {
    if (!meta || typeof meta.run !== "number" || (ofSpectra ? meta.part !== "curve" : !meta.iterations)) continue;
    const name = explorer.page.runs.find((run) => run.id === meta.run)?.name ?? "";
    const [first, values] = [numbers(x), numbers(y)];
    for (let k = 0; k < values.length; k++) {
      const value = Number.isFinite(values[k]) ? String(values[k]) : "";
      const row = ofSpectra ? [meta.iteration, first[k], value] : [meta.iterations?.[k], value, meta.width];
      lines.push(csvLine([layers[meta.layer ?? 0], String(meta.run), name, ...row.map(String)]));
    }
  }
  return lines.join("");
}

/**
 * @param {Numbers | undefined} array
 * @returns {ArrayLike<number>}
 */
function numbers(array) {
  if (!array) return [];
  if (!("bdata" in array)) return Array.from(array, (one) => (one === null ? NaN : Number(one)));
  return new ARRAYS[array.dtype](Uint8Array.from(atob(array.bdata), (letter) => letter.charCodeAt(0)).buffer);
}
