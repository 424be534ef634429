"""How long running runs still take: their updates, and the probes and evaluations between them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.measurements.records import EVALUATION_SECONDS, PROBE_SECONDS
from backend.models import MetricSummary, Run
from backend.runs.schedule import snapshot_iterations

PROBES_UNDER_WAY = frozenset({"starting", "probing"})
"""Phases in which the snapshot of the iteration reached may still be to come."""
EVALUATIONS_UNDER_WAY = PROBES_UNDER_WAY | {"evaluating"}


class Left(NamedTuple):
    """Seconds that a run still takes; `whole` is False while a probe or evaluation to come has not been timed yet."""

    seconds: float
    whole: bool


def left_of(session: Session, runs: Iterable[Run]) -> dict[int, Left]:
    """Return how long each running run still takes, where its end and speed are known: one query, however many."""
    running = {run.id: run for run in runs if _is_known(run)}
    if not running:
        return {}
    taken: dict[int, dict[str, float]] = {run_id: {} for run_id in running}
    names = (PROBE_SECONDS, EVALUATION_SECONDS)
    query = select(MetricSummary.run_id, MetricSummary.name, MetricSummary.last).where(
        MetricSummary.run_id.in_(running), MetricSummary.name.in_(names), MetricSummary.last.is_not(None)
    )
    for run_id, name, seconds in session.execute(query):
        taken[run_id][name] = seconds or 0.0
    return {run_id: _left(run, taken[run_id]) for run_id, run in running.items()}


def _is_known(run: Run) -> bool:
    return run.status == "running" and run.seconds_per_iteration is not None and bool(run.iterations)


def _left(run: Run, taken: Mapping[str, float]) -> Left:
    seconds = max(0, run.iterations - run.iteration) * (run.seconds_per_iteration or 0.0)
    whole = True
    for name, times in ((PROBE_SECONDS, probes_left(run)), (EVALUATION_SECONDS, evaluations_left(run))):
        seconds += times * taken.get(name, 0.0)
        whole = whole and (not times or name in taken)
    return Left(seconds, whole)


def probes_left(run: Run) -> int:
    """Return how many snapshots a launched run has yet to take, the one under way included."""
    probe: dict[str, Any] = run.specification.get("probe") or {}
    if not probe.get("images") or not probe.get("every"):
        return 0
    due = snapshot_iterations(run.iterations, probe["every"])
    under_way = run.phase in PROBES_UNDER_WAY
    return len(due) - (bisect_left if under_way else bisect_right)(due, run.iteration)


def evaluations_left(run: Run) -> int:
    """Return how many evaluations a launched run has yet to make, the one under way and the last included."""
    every = run.specification.get("evaluate_every")
    if every is None:
        return 0
    # Of the last, and of each `every` before it, those from `first` on.
    first = run.iteration + (run.phase not in EVALUATIONS_UNDER_WAY)
    regular = (run.iterations - 1) // every - (max(first, 1) - 1) // every if every else 0
    return max(0, regular) + (run.iterations >= first)
