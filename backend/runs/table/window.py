"""The part of a long table that is shown: where the database can judge and order the runs, no others are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Subquery, and_, func, or_, select
from sqlalchemy.orm import Session, defer

from backend.models import Run

ORDERS: Mapping[str, Any] = {
    name: getattr(Run, name)
    for name in (
        "id",
        "created_at",
        "started_at",
        "finished_at",
        "iteration",
        "seconds_per_iteration",
        "ap",
        "ap50",
        "mask_ap",
        "top1",
        "parameters",
        "backbone_parameters",
        "macs",
        "attempt",
        "parent_run_id",
    )
}
"""Columns that the database orders as `order.py` does: numbers and moments. Texts it orders otherwise."""


@dataclass(frozen=True)
class Window:
    """So many rows from `offset` on; of those, only the runs in `whole` (None: all) with more than their ids."""

    limit: int
    offset: int = 0
    whole: frozenset[int] | None = None


@dataclass(frozen=True)
class Summed:
    """What is said of all runs that fit, however many are shown."""

    states: Mapping[str, int]
    """How many there are in each status."""
    masks: bool
    """Whether any has a mask AP."""


class _Named(NamedTuple):
    """A run of which only its place in the table is told."""

    id: int
    status: str
    parent_run_id: int | None
    dataset_id: int | None = None


def concerning(run: Run) -> tuple[int | None, ...]:
    """Return the runs whose change shows in the row of `run`: one that is queued may wait for another."""
    return (run.id, run.parent_run_id) if run.status == "queued" else (run.id,)


def summed(session: Session, conditions: Sequence[ColumnElement[bool]]) -> Summed:
    """Count the runs that meet the conditions."""
    query = select(Run.status, func.count(), func.count(Run.mask_ap)).where(*conditions).group_by(Run.status)
    found = session.execute(query).all()
    return Summed({status: runs for status, runs, _ in found}, any(masks for _, _, masks in found))


def in_order(
    session: Session, conditions: Sequence[ColumnElement[bool]], sort: str, window: Window
) -> tuple[list[Run], list[Run]]:
    """Return a window's runs in order, and those of them that are read whole; the others know what orders them.

    What is ordered is narrow: whole rows hold specifications, which are read of those that are shown.
    """
    column = ORDERS[sort.removeprefix("-")]
    order = (column.desc() if sort.startswith("-") else column.asc()).nulls_last()
    query = select(Run.id, Run.status, Run.parent_run_id).where(*conditions).order_by(order, Run.id.desc())
    query = query.offset(window.offset).limit(window.limit)
    narrow = session.execute(query).all()
    shown = query.with_only_columns(Run.id).subquery()
    whole = {run.id: run for run in session.scalars(_whole(shown, window.whole))}
    if window.whole is None:
        runs = [whole[row.id] for row in narrow if row.id in whole]
        return runs, runs
    # To make a `Run` of each, of which nothing else is asked here, took more than half of the time.
    runs = [whole.get(row.id) or cast(Run, _Named(*row)) for row in narrow]
    return runs, list(whole.values())


def _whole(shown: Subquery, wanted: frozenset[int] | None) -> Any:
    # What its first weights were made of is long, and no list shows it.
    query = select(Run).where(Run.id.in_(select(shown.c.id))).options(defer(Run.start))
    if wanted is None:
        return query
    waiting = and_(Run.status == "queued", Run.parent_run_id.in_(wanted))
    return query.where(or_(Run.id.in_(wanted), waiting))
