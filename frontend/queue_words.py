"""Why each queued run waits, and when its turn comes, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from backend.models import Run
from backend.runs.presentation import RunItem
from backend.runs.waiting import lack
from backend.system.endpoints import WorkerItem
from frontend.formats import counted, duration


@dataclass(frozen=True)
class Turn:
    """A queued run and why it waits; `warning` where waiting alone will not help.

    `place` counts from 1 in the order in which runs begin; None of one that waits for another's weights or
    for a worker with more GPUs, which holds nobody up.
    """

    run: RunItem
    place: int | None
    priority: int
    reason: str
    warning: str


def turns(
    queue: Sequence[RunItem], runs: dict[int, Run], workers: Sequence[WorkerItem], busy: Sequence[RunItem]
) -> list[Turn]:
    """Return the queue in order; `runs` are its rows by id, `busy` the runs that workers train now."""
    alive = [worker for worker in workers if worker.alive]
    idle = sum(worker.run_id is None for worker in alive)
    ends = sorted(run.progress.eta_seconds for run in busy if run.progress.eta_seconds is not None)
    ready = count()
    found = []
    for one in queue:
        warning = _warning(runs[one.id], alive)
        place = next(ready) if one.waits_for is None and not warning else None
        reason = "" if place is None else _reason(place, len(alive), idle, ends)
        found.append(Turn(one, None if place is None else place + 1, runs[one.id].priority, reason, warning))
    return found


def _reason(place: int, alive: int, idle: int, ends: Sequence[float]) -> str:
    if not alive:
        return "no worker is alive"
    if place < idle:
        return "a free worker takes it within seconds"
    behind = place - idle
    if behind < alive:
        busy = "the worker is" if alive == 1 else f"all {alive} workers are"
        expected = f"; one is free in about {duration(ends[behind])}" if behind < len(ends) else ""
        return (
            f"{busy} busy{expected}"
            if place == 0 or behind == 0
            else f"{counted(place, 'run')} before it{expected}"
        )
    return f"{counted(place, 'run')} before it"


def _warning(run: Run, alive: Sequence[WorkerItem]) -> str:
    return lack(run.specification["resources"]["gpus"], [len(worker.devices) for worker in alive])
