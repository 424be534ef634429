"""How long requests took, by method, route and status: counted in this process since it started."""

from __future__ import annotations

import bisect
import math
import threading
from dataclasses import dataclass, field

from backend.observability.exposition import Family

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the buckets in seconds."""


@dataclass
class _Cell:
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0


class Durations:
    """Fed by the event loop, read by a thread that answers Prometheus."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, str, str], _Cell] = {}
        self._lock = threading.Lock()

    def add(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is a template such as `/api/v1/runs/{run_id}`, of which there are few."""
        place = bisect.bisect_left(BOUNDS, seconds)
        with self._lock:
            cell = self._cells.setdefault((method, route, str(status)), _Cell())
            cell.buckets[place] += 1
            cell.seconds += seconds

    def family(self) -> Family:
        """Return the histogram as it is now."""
        name = "eigenscope_http_request_duration_seconds"
        found = Family(
            name, "histogram", "Seconds from a request to the end of its answer; streams are left out."
        )
        with self._lock:
            cells = {key: (list(cell.buckets), cell.seconds) for key, cell in self._cells.items()}
        for (method, route, status), (buckets, seconds) in sorted(cells.items()):
            labels = {"method": method, "route": route, "status": status}
            total = 0
            for bound, count in zip((*BOUNDS, math.inf), buckets, strict=True):
                total += count
                found.add(total, "_bucket", **labels, le="+Inf" if math.isinf(bound) else repr(bound))
            found.add(seconds, "_sum", **labels)
            found.add(total, "_count", **labels)
        return found
