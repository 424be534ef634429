"""Last, lowest and highest of each metric of a run, kept while its points are written."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.models import Metric, MetricSummary


class Summary(NamedTuple):
    """What a list shows of a metric of a run; None where no number was finite."""

    last: float | None
    lowest: float | None
    highest: float | None


def summarise(session: Session, run_id: int, points: Iterable[tuple[int, str, float]]) -> None:
    """Bring the summaries to (iteration, name, value) points that were just written."""
    added: dict[str, dict[int, float | None]] = defaultdict(dict)
    for iteration, name, value in points:
        added[name][iteration] = value if math.isfinite(value) else None
    query = select(MetricSummary).where(MetricSummary.run_id == run_id, MetricSummary.name.in_(added))
    known = {one.name: one for one in session.scalars(query)}
    for name, values in added.items():
        before = known.get(name)
        if before is None:
            before = MetricSummary(run_id=run_id, name=name, last_iteration=-1)
            session.add(before)
        if min(values) <= before.last_iteration:
            _anew(session, before)
        else:
            _append(before, values)
    session.flush()


def _append(summary: MetricSummary, values: Mapping[int, float | None]) -> None:
    summary.last_iteration = max(values)
    summary.last = values[summary.last_iteration]
    ends = (summary.lowest, summary.highest, *values.values())
    present = [value for value in ends if value is not None]
    summary.lowest, summary.highest = min(present, default=None), max(present, default=None)


def _anew(session: Session, summary: MetricSummary) -> None:
    """Read the points: a training that was resumed overwrote some, and the lowest may have been among them."""
    mine = (Metric.run_id == summary.run_id, Metric.name == summary.name)
    query = select(func.min(Metric.value), func.max(Metric.value), func.max(Metric.iteration)).where(*mine)
    summary.lowest, summary.highest, summary.last_iteration = session.execute(query).one()
    at_last = select(Metric.value).where(*mine, Metric.iteration == summary.last_iteration)
    summary.last = session.scalar(at_last)


def of_metrics(session: Session, names: Sequence[str]) -> dict[str, dict[int, Summary]]:
    """Return these metrics' summaries by name and run."""
    found: dict[str, dict[int, Summary]] = {name: {} for name in names}
    s = MetricSummary
    query = select(s.name, s.run_id, s.last, s.lowest, s.highest).where(s.name.in_(names))
    for name, run_id, *numbers in session.execute(query):
        found[name][run_id] = Summary(*numbers)
    return found


def names(session: Session) -> list[str]:
    """Return the names of all metrics of all runs, in their order."""
    return list(session.scalars(select(MetricSummary.name).distinct().order_by(MetricSummary.name)))
