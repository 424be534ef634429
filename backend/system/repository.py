"""Which workers live and what waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from backend.database import clock
from backend.models import Run, Worker


def say_alive(
    session: Session, name: str, host: str, devices: list[dict[str, object]], run_id: int | None
) -> None:
    """Record that a worker lives and what it does."""
    worker, moment = session.get(Worker, name), clock(session)
    if worker is None:
        worker = Worker(name=name, host=host, started_at=moment)
        session.add(worker)
    worker.devices, worker.run_id, worker.seen_at = devices, run_id, moment


def remove(session: Session, name: str) -> None:
    """Forget a worker that has left."""
    session.execute(delete(Worker).where(Worker.name == name))


def forget_silent(session: Session, seconds: float) -> None:
    """Forget workers that have been silent for so long that they cannot come back."""
    session.execute(delete(Worker).where(Worker.seen_at < clock(session) - timedelta(seconds=seconds)))


def workers(session: Session) -> Sequence[Worker]:
    """Return all workers that have not left, oldest first."""
    return session.scalars(select(Worker).order_by(Worker.started_at)).all()


def queued(session: Session, limit: int) -> Sequence[Run]:
    """Return queued runs in the order in which they will be claimed."""
    query = select(Run).where(Run.status == "queued").order_by(Run.priority.desc(), Run.id)
    return session.scalars(query.limit(limit)).all()


def runs_by_status(session: Session) -> dict[str, int]:
    """Return how many runs there are in each status."""
    return dict(session.execute(select(Run.status, func.count()).group_by(Run.status)).all())
