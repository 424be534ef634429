/** The list of plans follows their runs. */
import { refreshRegions, settled, watchRuns } from "./live.js";

watchRuns(settled(refreshRegions, 1200));
