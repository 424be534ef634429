"""What readers saw: how long answers took, what failed, and when a snapshot came into sight."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

PATIENCE = 2.0
"""Seconds: a page that was left sooner after a commit need not have shown it."""


@dataclass
class Visit:
    """One run in one open page; times as `time.time` says."""

    run: int
    opened: float = 0.0
    left: float = 0.0
    seen: dict[int, float] = field(default_factory=dict)
    """When each snapshot, by its iteration, was first in the page."""

    def showed(self, iterations: Sequence[int], moment: float) -> None:
        """Note what the page held at a moment."""
        self.opened = self.opened or moment
        for iteration in iterations:
            self.seen.setdefault(iteration, moment)


@dataclass
class Sightings:
    """Everything that readers noted, seconds by kind of request."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    processor_seconds: float = 0.0
    """That the readers themselves took."""

    def took(self, kind: str, seconds: float) -> None:
        """Note an answer."""
        self.seconds.setdefault(kind, []).append(seconds)

    def failed(self, kind: str, path: str, why: str) -> None:
        """Note that something was not answered well."""
        self.errors.append(f"{kind} {path}: {why}")


def lags(visits: Iterable[Visit], committed: Mapping[int, Sequence[tuple[int, float]]]) -> list[float]:
    """Return the seconds from each commit until each page that was open had the snapshot.

    `committed` is (iteration, moment) by run. A page that was left without it counts with how long it had waited.
    """
    found = []
    for visit in visits:
        for iteration, moment in committed.get(visit.run, ()):
            if not visit.opened or not visit.opened < moment < visit.left:
                continue
            if iteration in visit.seen:
                # The page may be fetched between the commit and the writer's look at its clock.
                found.append(max(0.0, visit.seen[iteration] - moment))
            elif visit.left - moment > PATIENCE:
                found.append(visit.left - moment)
    return found
