/** The page of a stored plan: its charts, its runs as they train, its deletion. */
import { send } from "./api.js";
import { pageCharts } from "./charts.js";
import { byId, confirmed, toast } from "./dom.js";
import { refreshRegions, settled, watchRuns } from "./live.js";
import { attachLaunch } from "./width-launch.js";

/** A later round is begun by the server, and its plan is no run that changes: so the page looks now and then. */
const TICK_MS = 30_000;

const head = byId("head", HTMLElement);
const plan = Number(head.dataset.plan);
const charts = pageCharts();

function draw() {
  for (const chart of charts) chart.show({ layer: "", iteration: null, criterion: "", threshold: "", query: "" });
}

const refresh = settled(refreshRegions, 800);
watchRuns((change) => {
  const own = (head.dataset.runs ?? "").split(" ").map(Number);
  if (!change || [...change.changed, ...change.deleted].some((run) => own.includes(run))) refresh();
});
setInterval(() => document.hidden || refresh(), TICK_MS);

byId("delete", HTMLButtonElement).addEventListener("click", async () => {
  const text = "Its runs stay, but are no longer compared here.";
  if (!(await confirmed(`Delete width plan ${plan}?`, text, "Delete"))) return;
  try {
    await send("DELETE", `/width-plans/${plan}`);
    location.assign("/widths");
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), "error");
  }
});

document.addEventListener("themechange", draw);
attachLaunch(async () => plan, false);
draw();
