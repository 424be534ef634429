/** The System page: what is shown follows the runs, and the workers' heartbeats. */
import { refreshRegions, settled, watchRuns } from "./live.js";

const HEARTBEAT_MS = 10_000;
const PROGRESS_MS = 1800;

const refresh = settled(refreshRegions);
watchRuns(() => refresh(PROGRESS_MS));
setInterval(() => document.hidden || refresh(), HEARTBEAT_MS);
