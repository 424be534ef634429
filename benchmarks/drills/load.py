"""Much at once: writers beside readers, a long queue, a grown database; on PostgreSQL and on SQLite."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from benchmarks.drills import backlog, growth, traffic
from benchmarks.drills.findings import Finding
from benchmarks.drills.places import Kind

Part = Literal["traffic", "queue", "growth"]
PARTS: tuple[Part, ...] = get_args(Part)
KINDS: tuple[Kind, ...] = get_args(Kind)
SQLITE_WRITERS, SQLITE_READERS = 1, 5


@dataclass(frozen=True)
class Load:
    """How much of it, and which parts; on SQLite one writes and five read."""

    minutes: float = 10.0
    writers: int = 8
    readers: int = 50
    seed: int = 0
    queued: int = backlog.QUEUED
    library: growth.Library = growth.Library()  # noqa: RUF009 - frozen
    parts: Sequence[Part] = PARTS
    kinds: Sequence[Kind] = KINDS

    def traffic_on(self, kind: Kind) -> traffic.Traffic:
        """Return who writes and reads on a kind of database."""
        seconds = 60 * self.minutes
        if kind == "PostgreSQL":
            return traffic.Traffic(self.writers, self.readers, seconds, self.seed)
        return traffic.Traffic(
            min(SQLITE_WRITERS, self.writers), min(SQLITE_READERS, self.readers), seconds, self.seed
        )


def run(load: Load, say: Callable[[str], None]) -> list[Finding]:
    """Measure every part on every kind of database, say what was found, and return it."""
    found: list[Finding] = []
    for part in load.parts:
        for kind in load.kinds:
            for finding in _measured(load, part, kind):
                say(finding.line())
                found.append(finding)
    return found


def _measured(load: Load, part: Part, kind: Kind) -> list[Finding]:
    measures: dict[Part, Callable[[Path], list[Finding]]] = {
        "traffic": partial(traffic.measure, kind, traffic=load.traffic_on(kind)),
        "queue": partial(backlog.measure, kind, runs=load.queued),
        "growth": partial(growth.measure, kind, library=load.library),
    }
    with tempfile.TemporaryDirectory(prefix="eigenscope-load-") as folder:
        # PostgreSQL runs as its own user, who must reach what is its own.
        Path(folder).chmod(0o755)
        return measures[part](Path(folder))
