/** The list of plans follows their runs. */
import { refreshRegions, settled, watchRuns } from "./live.js";

const refresh = settled(refreshRegions, 1200);
watchRuns(() => refresh());
