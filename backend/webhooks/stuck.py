"""Runs that stand still: running without a new iteration, or queued while no worker lives."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import CursorResult, delete, exists, func, select, update
from sqlalchemy.orm import Session

from backend.measurements.repository import upsert
from backend.models import Run, RunWatch, Worker
from backend.models.base import now
from backend.webhooks import events

SURE_SECONDS = 60.0
"""How long this process must have looked on without a break, so that an outage of its own is nobody's standstill."""


class _Seen(NamedTuple):
    run_id: int
    mark: str


class StuckWatch:
    """Looks at what is under way, beat by beat. Any number of servers may; each standstill is told by one of them."""

    def __init__(self, minutes: float, silent_seconds: float, sure_seconds: float = SURE_SECONDS) -> None:
        self._patience = timedelta(minutes=minutes)
        self._silent = timedelta(seconds=silent_seconds)
        self._sure_seconds = sure_seconds
        self._looking_since: float | None = None

    def interrupted(self) -> None:
        """Note that a look failed: what moved meanwhile was not seen."""
        self._looking_since = None

    def look(self, session: Session) -> list[int]:
        """Note what moved, and tell what has stood still for too long; return those runs. No patience means never."""
        if not self._patience:
            return []
        if self._looking_since is None:
            self._looking_since = time.monotonic()
        seen = [*_running(session), *(_queued(session) if self._none_lives(session) else ())]
        known = {watch.run_id: watch for watch in session.scalars(select(RunWatch))}
        moment = now()
        _write(session, seen, known, moment)
        if time.monotonic() - self._looking_since < self._sure_seconds:
            return []
        overdue = moment - self._patience
        return [
            one.run_id
            for one in seen
            if _is_overdue(known.get(one.run_id), one, overdue) and self._tell(session, one)
        ]

    def _none_lives(self, session: Session) -> bool:
        return not session.scalar(select(exists().where(Worker.seen_at > now() - self._silent)))

    def _tell(self, session: Session, one: _Seen) -> bool:
        told = session.execute(
            update(RunWatch)
            .where(RunWatch.run_id == one.run_id, RunWatch.mark == one.mark, ~RunWatch.told)
            .values(told=True)
            .execution_options(synchronize_session=False)
        )
        assert isinstance(told, CursorResult)  # noqa: S101 - narrows the type of an UPDATE's result
        if told.rowcount != 1:
            return False
        minutes = f"{self._patience.total_seconds() / 60:g}"
        queued = one.mark.startswith("queued")
        problem = (
            f"it has been queued for {minutes} minutes while no worker lives; start one with `eigenscope worker`"
            if queued
            else f"it runs but has not moved for {minutes} minutes; see its log, then cancel and resume it"
        )
        events.note(session, [one.run_id], events.STUCK, problem)
        return True


def _running(session: Session) -> list[_Seen]:
    query = (
        select(Run.id, Run.attempt, Run.phase, Run.iteration).where(Run.status == "running").order_by(Run.id)
    )
    return [
        _Seen(row.id, f"running:{row.attempt}:{row.phase}:{row.iteration}") for row in session.execute(query)
    ]


def _queued(session: Session) -> list[_Seen]:
    query = (
        select(Run.id, Run.queued_at).where(Run.status == "queued", Run.origin == "launched").order_by(Run.id)
    )
    return [_Seen(row.id, f"queued:{row.queued_at.isoformat()}") for row in session.execute(query)]


def _is_overdue(watch: RunWatch | None, one: _Seen, overdue: datetime) -> bool:
    return watch is not None and watch.mark == one.mark and not watch.told and watch.since < overdue


def _write(session: Session, seen: Sequence[_Seen], known: Mapping[int, RunWatch], moment: datetime) -> None:
    moved = [one for one in seen if one.run_id not in known or known[one.run_id].mark != one.mark]
    rows = [{"run_id": one.run_id, "mark": one.mark, "since": moment, "told": False} for one in moved]
    upsert(session, RunWatch, rows)
    gone = known.keys() - {one.run_id for one in seen}
    if gone:
        session.execute(delete(RunWatch).where(RunWatch.run_id.in_(gone)))


def stuck(session: Session) -> int:
    """Return how many runs are stuck, as far as was told."""
    return session.scalar(select(func.count()).select_from(RunWatch).where(RunWatch.told)) or 0
