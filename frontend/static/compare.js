/** The Compare page. */
import { byId } from "./dom.js";
import { Explorer, pageView } from "./explorer.js";
import { refreshRegions, settled, watchRuns } from "./live.js";

const explorer = new Explorer(pageView());
explorer.start();
explorer.onCriterion = settled(refreshRegions);

/** How far the runs are shows in their curves alone, which are drawn no more often. */
const PROGRESS_MS = 4000;

const extend = settled(async () => {
  const page = await refreshRegions();
  if (page) await explorer.extend(pageView(page));
});

watchRuns((change) => {
  const live = explorer.page.runs.filter((run) => run.live);
  if (live.some((run) => !change || change.measured.includes(run.id))) extend();
  else if (live.some((run) => change?.changed.includes(run.id))) extend(PROGRESS_MS);
});

/**
 * Compare other runs in the same view.
 * @param {string} runs
 */
function choose(runs) {
  const query = new URLSearchParams(location.search);
  query.set("runs", runs);
  location.search = query.toString().replaceAll("%2C", ",");
}

byId("readout", HTMLElement).addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a.remove") : null;
  if (!(link instanceof HTMLAnchorElement)) return;
  event.preventDefault();
  choose(new URL(link.href).searchParams.get("runs") ?? "");
});

const adding = byId("add-run", HTMLFormElement).querySelector("select");
adding?.addEventListener("change", () => {
  if (adding.value) choose(`${explorer.page.runs.map((run) => run.id).join(",")},${adding.value}`);
});
