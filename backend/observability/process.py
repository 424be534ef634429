"""What this process takes of its machine, under the names that Prometheus' own clients use."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from backend.observability.exposition import Family, counter, gauge

_STARTED = time.time()
_SELF = Path("/proc/self")


def families() -> Iterator[Family]:
    """Yield memory, processor time, open files and the start of this process, as far as the system tells them."""
    times = os.times()
    yield counter("process_cpu_seconds_total", "Processor seconds of the server.", times.user + times.system)
    yield gauge("process_start_time_seconds", "When the server started, in seconds since 1970.", _STARTED)
    try:
        pages = int((_SELF / "statm").read_text().split()[1])
        open_files = len(os.listdir(_SELF / "fd"))
    except OSError:
        # macOS has no /proc.
        return
    yield gauge("process_resident_memory_bytes", "Memory of the server.", pages * os.sysconf("SC_PAGE_SIZE"))
    yield gauge("process_open_fds", "Open files and sockets of the server.", open_files)
