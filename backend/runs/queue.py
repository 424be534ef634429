"""The queue is rows in `runs`: claims, leases and hand-backs are conditional UPDATEs, safe between workers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, Select, and_, select, update
from sqlalchemy.orm import Session, aliased

from backend.database import clock
from backend.models import Run, Worker
from backend.runs import waiting
from backend.webhooks import events

SKEW = timedelta(seconds=5)
"""A lease that ends so much too late was made by another clock."""


def change(session: Session, *conditions: Any, **values: Any) -> int:
    """Update the runs that meet `conditions`, raise their revision, and return how many there were.

    That a run has ended is noted for webhooks in the same transaction: it is told if and only if it is so.
    """
    changed = session.scalars(
        update(Run)
        .where(*conditions)
        .values(revision=Run.revision + 1, **values)
        .returning(Run.id)
        .execution_options(synchronize_session=False)
    ).all()
    events.note_status(session, changed, values.get("status"))
    return len(changed)


def claim_next(
    session: Session, owner: str, lease_seconds: float, gpus: int = waiting.GPUS_AT_MOST
) -> int | None:
    """Give `owner` the first queued run that waits for no other (highest priority, then oldest): its id, or None.

    A run that demands more than `gpus` GPUs, those of the worker, is left to others.
    """
    moment = clock(session)
    for run_id in session.scalars(_ready(waiting.takes_at_most(gpus)).limit(8)).all():
        claimed = change(
            session,
            Run.id == run_id,
            Run.status == "queued",
            status="running",
            phase="starting",
            attempt=Run.attempt + 1,
            lease_owner=owner,
            lease_expires_at=moment + timedelta(seconds=lease_seconds),
            started_at=moment,
            finished_at=None,
            error=None,
        )
        if claimed:
            return run_id
    return None


HELD = ("running", "queued", "lost")
"""In which `lease_owner` is who held the run last: until another claims it, an owner that was cut off takes it back."""


def owned(run_id: int, owner: str | None) -> Any:
    """Return the condition under which `owner` may still write about a run (docs/faults.md tells why it is enough)."""
    if owner is None:
        return Run.id == run_id
    return and_(Run.id == run_id, Run.status.in_(HELD), Run.lease_owner == owner)


def renew(session: Session, run_id: int, owner: str, lease_seconds: float) -> bool:
    """Prolong the lease; False when the run was deleted or ended, or belongs to somebody else.

    One that was swept because its worker could not reach the database is taken back, unless another has claimed it.
    """
    expires = clock(session) + timedelta(seconds=lease_seconds)
    result = session.execute(
        update(Run)
        .where(owned(run_id, owner), Run.status == "running")
        .values(lease_expires_at=expires)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)  # noqa: S101 - narrows the type of an UPDATE's result
    if result.rowcount == 1:
        return True
    back = {"status": "running", "phase": "training", "error": None, "finished_at": None}
    return bool(change(session, owned(run_id, owner), lease_expires_at=expires, **back))


def stop_requested(session: Session, run_id: int) -> bool:
    """Whether somebody asked the run to stop."""
    return bool(session.scalar(select(Run.stop_requested).where(Run.id == run_id)))


def finish(session: Session, run_id: int, owner: str, status: str, error: str | None = None) -> bool:
    """Write a run's final status, if `owner` still holds it."""
    return bool(
        change(
            session,
            owned(run_id, owner),
            status=status,
            phase="",
            error=error,
            stop_requested=False,
            lease_owner=None,
            lease_expires_at=None,
            finished_at=clock(session),
        )
    )


def hand_back(session: Session, run_id: int, owner: str) -> bool:
    """Queue a run again whose worker leaves in good order; the attempt does not count."""
    return bool(
        change(
            session,
            owned(run_id, owner),
            status="queued",
            phase="",
            attempt=Run.attempt - 1,
            lease_owner=None,
            lease_expires_at=None,
            queued_at=clock(session),
        )
    )


def try_again(session: Session, run_id: int, owner: str, max_attempts: int) -> bool:
    """Queue a run again whose trainer was ended from outside; the attempt counts. False after the last one allowed."""
    return bool(
        change(
            session,
            owned(run_id, owner),
            Run.attempt < max_attempts,
            status="queued",
            phase="",
            lease_owner=None,
            lease_expires_at=None,
            queued_at=clock(session),
        )
    )


def sweep_expired(session: Session, max_attempts: int, moment: datetime | None = None) -> list[int]:
    """Queue again, or give up as lost, the running runs whose lease has expired; return those queued.

    A recorded run is never queued: no worker could train it.
    """
    moment = moment or clock(session)
    expired = and_(Run.status == "running", Run.lease_expires_at < moment)
    # Its owner stays named: it may only have been cut off, and takes the run back unless another claims it.
    gone = {"phase": "", "lease_expires_at": None}
    change(
        session,
        expired,
        Run.stop_requested,
        status="cancelled",
        stop_requested=False,
        finished_at=moment,
        **gone,
    )
    lost = "its worker fell silent on the last of the allowed attempts; see the log, then retry"
    change(
        session,
        expired,
        Run.origin == "launched",
        Run.attempt >= max_attempts,
        status="lost",
        error=lost,
        finished_at=moment,
        **gone,
    )
    silent = (
        "its recorder has been silent for an hour; if it still trains, its next write brings the run back"
    )
    change(
        session, expired, Run.origin == "recorded", status="lost", error=silent, finished_at=moment, **gone
    )
    queued = []
    for run_id in session.scalars(select(Run.id).where(expired)).all():
        if change(session, Run.id == run_id, expired, status="queued", queued_at=moment, **gone):
            queued.append(run_id)
    return queued


def shorten_leases(session: Session, lease_seconds: float, recorded_seconds: float) -> None:
    """Let no lease end later than one made now: the clock was set back since, and its owner may be dead."""
    moment = clock(session)
    for origin, seconds in (("launched", lease_seconds), ("recorded", recorded_seconds)):
        latest = moment + timedelta(seconds=seconds)
        change(
            session,
            Run.status == "running",
            Run.origin == origin,
            Run.lease_expires_at > latest + SKEW,
            lease_expires_at=latest,
        )


def waiting_with_idle_worker(session: Session, quiet_seconds: float, seen_seconds: float) -> list[int]:
    """Return queued runs that wait longer than `quiet_seconds` although a live worker is idle."""
    moment = clock(session)
    idle = session.scalars(
        select(Worker.devices).where(
            Worker.run_id.is_(None), Worker.seen_at > moment - timedelta(seconds=seen_seconds)
        )
    ).all()
    most = max(map(len, idle), default=0)
    long = Run.queued_at < moment - timedelta(seconds=quiet_seconds)
    query = _ready(long, waiting.takes_at_most(most))
    return list(session.scalars(query.limit(len(idle)))) if idle else []


def waiting_longer(session: Session, seconds: float) -> int | None:
    """Return the run that would be claimed first of those that wait longer than `seconds`; None if there is none."""
    return session.scalar(_ready(Run.queued_at < clock(session) - timedelta(seconds=seconds)).limit(1))


def _ready(*conditions: Any) -> Select[int]:
    """Return the runs that can be claimed now, in the order in which they will be."""
    ready = (Run.status == "queued", Run.origin == "launched", waiting.is_ready())
    return select(Run.id).where(*ready, *conditions).order_by(Run.priority.desc(), Run.id)


def give_up_waiting(session: Session) -> list[int]:
    """Fail the queued runs whose source has ended badly while they waited for it; return their ids."""
    source = aliased(Run)
    query = (
        select(Run.id, source.id, source.name, source.status)
        .join(source, source.id == Run.parent_run_id)
        .where(Run.status == "queued", waiting.takes_the_last(), waiting.ended_badly(source))
    )
    given_up = []
    for run_id, source_id, name, status in session.execute(query).all():
        how = status if status == "failed" else f"was {status}"
        error = (
            f"it waited for the last weights of run {source_id} '{name}', which {how}; retry that one (its page says "
            "why it ended), then this one"
        )
        waits = (Run.id == run_id, Run.status == "queued")
        if change(session, *waits, status="failed", error=error, finished_at=clock(session)):
            given_up.append(run_id)
    return given_up
