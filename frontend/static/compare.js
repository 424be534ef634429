/** The Compare page. */
import { byId } from "./dom.js";
import { Explorer, pageView } from "./explorer.js";
import { refreshRegions, settled, watchRuns } from "./live.js";

const explorer = new Explorer(pageView());
explorer.start();

const extend = settled(async () => {
  const page = await refreshRegions();
  if (page) await explorer.extend(pageView(page));
}, 2000);

watchRuns((change) => {
  const live = explorer.page.runs.filter((run) => run.live);
  if (live.some((run) => !change || change.changed.includes(run.id))) extend();
});

const adding = byId("add-run", HTMLFormElement).querySelector("select");
adding?.addEventListener("change", () => {
  const query = new URLSearchParams(location.search);
  query.set("runs", `${query.get("runs")},${adding.value}`);
  location.search = query.toString().replaceAll("%2C", ",");
});
