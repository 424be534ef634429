/** The page of a dataset: its charts, which depend on nothing but the theme. */
import { pageCharts } from "./charts.js";

const VIEW = { layer: "", iteration: null, criterion: "", threshold: "" };

const charts = pageCharts();
const show = () => charts.forEach((chart) => chart.show(VIEW));
document.addEventListener("themechange", show);
document.querySelector(".samples")?.addEventListener("change", ({ target }) => {
  if (target instanceof Element) target.closest("li")?.scrollIntoView({ block: "nearest" });
});
show();
