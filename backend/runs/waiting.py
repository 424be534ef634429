"""Runs that wait for another: those that start from the last weights of a run which has not ended yet.

Nothing is stored for it but what the specification says, so a wait survives every restart. It ends when the other run
has ended; where that ended badly, the wait is given up (`queue.give_up_waiting`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select
from sqlalchemy.orm import Session, aliased

from backend.models import Run, Worker
from backend.models.base import now
from backend.models.worker import SILENT_AFTER_BEATS
from backend.settings import Settings

UNDER_WAY = ("queued", "running")
ENDED_BADLY = ("failed", "cancelled", "lost")
GPUS_AT_MOST = 64
"""More can no run demand."""


def is_ready() -> ColumnElement[bool]:
    """Return the condition under which a queued run waits for no other."""
    source = aliased(Run)
    return or_(not_(takes_the_last()), not_(exists().where(source.id == Run.parent_run_id, _holds(source))))


def takes_at_most(gpus: int) -> ColumnElement[bool]:
    """Return the condition under which a run demands no more than so many GPUs; none or 0 is demanded by most."""
    demanded = Run.specification[("resources", "gpus")].as_integer()
    return or_(demanded.is_(None), demanded <= gpus)


def lack_of_gpus(session: Session, settings: Settings, gpus: int | None) -> str:
    """Say that workers are alive and none has so many GPUs, so that a run waits; empty where it does not."""
    since = now() - timedelta(seconds=SILENT_AFTER_BEATS * settings.heartbeat_seconds)
    alive = session.scalars(select(Worker.devices).where(Worker.seen_at >= since)).all()
    return lack(gpus, list(map(len, alive)))


def lack(gpus: int | None, alive: Sequence[int]) -> str:
    """Say the same from the numbers of GPUs that live workers have."""
    most = max(alive, default=0)
    if not alive or (gpus or 0) <= most:
        return ""
    asked = f"it asks for {gpus} GPU{'' if gpus == 1 else 's'}"
    has = f"has more than {most}" if most else "has any"
    return f"{asked} and no worker {has}: it waits until one with so many is started"


def waited_for(session: Session, runs: Iterable[Run]) -> dict[int, int]:
    """Return which run each of `runs` that waits waits for, by id: one query at most, however many runs."""
    if not any(run.status == "queued" and run.parent_run_id for run in runs):
        return {}
    source = aliased(Run)
    query = (
        select(Run.id, source.id)
        .join(source, source.id == Run.parent_run_id)
        .where(Run.status == "queued", takes_the_last(), _holds(source))
    )
    return dict(session.execute(query).all())


def _holds(source: type[Run]) -> ColumnElement[bool]:
    """Return the condition under which a run that takes the last weights of `source` cannot begin."""
    return or_(source.status.in_(UNDER_WAY), ended_badly(source))


def takes_the_last() -> ColumnElement[bool]:
    """Return the condition under which a run starts from whatever another's last weights turn out to be."""
    iteration = Run.specification[("init", "iteration")].as_integer()
    return and_(Run.parent_run_id.is_not(None), iteration.is_(None))


def ended_badly(source: type[Run]) -> ColumnElement[bool]:
    """Return the condition under which `source` ended badly while a run waited for it.

    A run that was queued later takes what such a source has left: whoever launched it saw how it had ended.
    """
    return and_(source.status.in_(ENDED_BADLY), source.finished_at > Run.queued_at)
