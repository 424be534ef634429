"""Reading and removing runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, or_, select
from sqlalchemy.orm import Session

from backend.models import Checkpoint, Ingest, LogLine, Prediction, Run

SORTABLE = {
    "id": Run.id,
    "name": Run.name,
    "status": Run.status,
    "created_at": Run.created_at,
    "ap": Run.ap,
    "ap50": Run.ap50,
    "mask_ap": Run.mask_ap,
    "parameters": Run.parameters,
    "macs": Run.macs,
    "iteration": Run.iteration,
}


def get(session: Session, run_id: int) -> Run | None:
    """Return one run."""
    return session.get(Run, run_id)


def many(session: Session, run_ids: Sequence[int]) -> list[Run]:
    """Return the runs of these ids that exist, in the order asked for."""
    found = {run.id: run for run in session.scalars(select(Run).where(Run.id.in_(run_ids)))}
    return [found[i] for i in run_ids if i in found]


def newest(session: Session, limit: int) -> list[tuple[int, str]]:
    """Return (id, name) of the newest runs that are not archived."""
    query = select(Run.id, Run.name).where(Run.archived.is_(False)).order_by(Run.id.desc()).limit(limit)
    return [(run_id, name) for run_id, name in session.execute(query)]


def page(
    session: Session,
    *,
    text: str,
    status: Sequence[str],
    tag: str,
    dataset_id: int | None,
    sort: str,
    offset: int,
    limit: int,
    archived: bool = False,
) -> tuple[Sequence[Run], int]:
    """Return one page of runs and how many there are in all; archived ones only where they are asked for too."""
    conditions = _conditions(text, status, tag, dataset_id)
    if not archived:
        conditions.append(Run.archived.is_(False))
    total = session.scalar(select(func.count()).select_from(Run).where(*conditions)) or 0
    column = SORTABLE[sort.removeprefix("-")]
    ordered = column.desc() if sort.startswith("-") else column.asc()
    query = select(Run).where(*conditions).order_by(ordered.nulls_last(), Run.id.desc())
    return session.scalars(query.offset(offset).limit(limit)).all(), total


def _conditions(
    text: str, status: Sequence[str], tag: str, dataset_id: int | None
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if text:
        tags = cast(Run.tags, String)
        conditions.append(
            or_(Run.name.icontains(text, autoescape=True), tags.icontains(text, autoescape=True))
        )
    if status:
        conditions.append(Run.status.in_(status))
    if tag:
        conditions.append(cast(Run.tags, String).contains(f'"{tag}"', autoescape=True))
    if dataset_id is not None:
        conditions.append(Run.dataset_id == dataset_id)
    return conditions


def count(session: Session) -> int:
    """Return how many runs there are, archived ones too."""
    return session.scalar(select(func.count()).select_from(Run)) or 0


def revisions(session: Session) -> dict[int, int]:
    """Return every run's revision: what the stream of changes compares."""
    return dict(session.execute(select(Run.id, Run.revision)).all())


def marks(session: Session, run_ids: Sequence[int] | None = None) -> dict[int, tuple[Any, ...]]:
    """Return of these runs, or of all, what tells that more was measured or that they stand otherwise."""
    results = (Run.ap, Run.ap50, Run.mask_ap, Run.top1)
    # An evaluation that finds nothing new in accuracy still has its predictions.
    evaluated = select(func.max(Prediction.iteration)).where(Prediction.run_id == Run.id).scalar_subquery()
    query = select(Run.id, Run.status, *results, evaluated, Ingest.spectra)
    query = query.outerjoin(Ingest, Ingest.run_id == Run.id)
    if run_ids is not None:
        query = query.where(Run.id.in_(run_ids))
    return {run_id: tuple(mark) for run_id, *mark in session.execute(query)}


def append_log(session: Session, run_id: int, lines: Sequence[str]) -> None:
    """Add lines to a run's log, numbered from 1."""
    last = session.scalar(select(func.max(LogLine.number)).where(LogLine.run_id == run_id)) or 0
    rows: list[dict[str, Any]] = [
        {"run_id": run_id, "number": last + 1 + k, "text": text} for k, text in enumerate(lines)
    ]
    if rows:
        session.execute(LogLine.__table__.insert(), rows)  # type: ignore[attr-defined]


def checkpoints(session: Session, run_id: int) -> Sequence[Checkpoint]:
    """Return a run's checkpoints, earliest first."""
    return session.scalars(
        select(Checkpoint).where(Checkpoint.run_id == run_id).order_by(Checkpoint.iteration)
    ).all()


def checkpoint(session: Session, run_id: int, iteration: int | None) -> Checkpoint | None:
    """Return the checkpoint of that iteration; None takes the last, or the newest of a run that never saved one."""
    found = checkpoints(session, run_id)
    if iteration is not None:
        return next((one for one in found if one.iteration == iteration), None)
    return max(found, key=lambda one: ("last" in one.kept_as, one.iteration), default=None)
