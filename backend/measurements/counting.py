"""Counts what is written, in the transaction that writes it."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backend.models import Ingest


class Written(NamedTuple):
    """What was ever written about all runs, also about those that are deleted; `probe_seconds` is a sum."""

    spectra: int
    points: int
    probes: int
    probe_seconds: float


def count_spectra(session: Session, run_id: int, spectra: int, probe_seconds: float | None) -> None:
    """Count spectra of a run, and the probe that measured them where it is known what it took."""
    known = probe_seconds is not None
    _add(session, run_id, Written(spectra, 0, int(known), probe_seconds or 0.0))


def count_points(session: Session, run_id: int, points: int) -> None:
    """Count points of a run's metrics."""
    _add(session, run_id, Written(0, points, 0, 0.0))


def _add(session: Session, run_id: int, written: Written) -> None:
    if not any(written):
        return
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    table = Ingest.__table__
    assert isinstance(table, Table)  # noqa: S101 - narrows the declarative type
    statement = insert(table).values(run_id=run_id, **written._asdict())
    grown = {name: table.c[name] + statement.excluded[name] for name in Written._fields}
    session.execute(statement.on_conflict_do_update(index_elements=["run_id"], set_=grown))


def written(session: Session) -> Written:
    """Return the sums over all runs: a few numbers a run are read, however much it measured."""
    sums = [func.coalesce(func.sum(getattr(Ingest, name)), 0) for name in Written._fields]
    # PostgreSQL adds up whole numbers as decimals.
    spectra, points, probes, seconds = map(float, session.execute(select(*sums)).one())
    return Written(int(spectra), int(points), int(probes), seconds)
