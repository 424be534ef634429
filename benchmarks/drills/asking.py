"""One question, asked again and again."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Mapping

from benchmarks.drills.findings import Finding, durations


def timed(what: str, work: Callable[[], object], limit: float, rounds: int) -> Finding:
    """Return the median of so many rounds beside its limit in milliseconds; a first one only warms up."""
    work()
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return durations(what, seconds, limit, share=50.0)


def posting(address: str, body: Mapping[str, object]) -> Callable[[], object]:
    """Return what sends a body as JSON and reads the answer."""
    data, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}

    def post() -> int:
        request = urllib.request.Request(address, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as response:
            return len(response.read())

    return post
