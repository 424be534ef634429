"""Counts what is written, in the transaction that writes it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backend.measurements.records import PROBE_SECONDS
from backend.models import Ingest


class Written(NamedTuple):
    """What was ever written about all runs, also about those that are deleted; `probe_seconds` is a sum."""

    spectra: int
    points: int
    probes: int
    probe_seconds: float


def count_spectra(session: Session, run_id: int, spectra: int) -> None:
    """Count spectra of a run."""
    _add(session, run_id, Written(spectra, 0, 0, 0.0))


def count_points(session: Session, run_id: int, points: Sequence[tuple[int, str, float]]) -> None:
    """Count (iteration, name, value) points of a run, and what its probes took."""
    took = list(_finite(value for _, name, value in points if name == PROBE_SECONDS))
    _add(session, run_id, Written(0, len(points), len(took), sum(took)))


def _finite(values: Iterable[float]) -> Iterable[float]:
    return (value for value in values if math.isfinite(value))


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
