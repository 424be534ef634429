"""What a run left behind, in the database and in its folder."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from backend.database import Database
from backend.models import Run
from backend.settings import Settings


def row(database: Database, run_id: int) -> Run:
    with database.reading() as session:
        found = session.get(Run, run_id)
        assert found is not None
        return found


def every(database: Database, model: type[Any]) -> list[Any]:
    with database.reading() as session:
        return list(session.scalars(select(model)))


def error_of(settings: Settings, run_id: int) -> str:
    return (settings.run_folder(run_id) / "error.txt").read_text().strip()
