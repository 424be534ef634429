"""A run's log: pages of it, all of it, and what of it holds a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from backend.database import Database
from backend.models import LogLine

Level = Literal["all", "warning", "error"]

STAMP = "____-__-__ __:__:__,___"
"""As LIKE knows it: the time with which a line of the trainer's own begins, followed by its level."""
QUIETER: dict[Level, tuple[str, ...]] = {
    "all": (),
    "warning": ("DEBUG", "INFO"),
    "error": ("DEBUG", "INFO", "WARNING"),
}
"""What is left out. Lines without a level, such as a traceback's, stay: they belong to what went wrong."""
HITS_AT_MOST = 5000
CHUNK = 5000


def after(session: Session, run_id: int, number: int, limit: int, level: Level) -> list[tuple[int, str]]:
    """Return up to `limit` lines (number, text) after line `number`."""
    query = _lines(run_id, level).where(LogLine.number > number)
    return [(n, text) for n, text in session.execute(query.order_by(LogLine.number).limit(limit))]


def before(
    session: Session, run_id: int, number: int | None, limit: int, level: Level
) -> list[tuple[int, str]]:
    """Return the last up to `limit` lines before line `number`, in order; None stands for the end."""
    query = _lines(run_id, level)
    if number is not None:
        query = query.where(LogLine.number < number)
    rows = session.execute(query.order_by(LogLine.number.desc()).limit(limit)).all()
    return [(n, text) for n, text in reversed(rows)]


def length(session: Session, run_id: int) -> int:
    """Return how many lines there are."""
    return session.scalar(select(func.max(LogLine.number)).where(LogLine.run_id == run_id)) or 0


def hits(session: Session, run_id: int, text: str, number: int, level: Level) -> tuple[int, Sequence[int]]:
    """Return how many lines after line `number` hold `text`, and the numbers of the newest of them, rising.

    Letter by letter, whatever their case; what is no ASCII letter must have the same case where SQLite compares.
    """
    held = or_(LogLine.text.icontains(text, autoescape=True), LogLine.text.contains(text, autoescape=True))
    where = (*_conditions(run_id, level), LogLine.number > number, held)
    count = session.scalar(select(func.count()).select_from(LogLine).where(*where)) or 0
    newest = select(LogLine.number).where(*where).order_by(LogLine.number.desc()).limit(HITS_AT_MOST)
    return count, sorted(session.scalars(newest))


def whole(database: Database, run_id: int) -> Iterator[str]:
    """Yield all lines as text, some thousands at a time, each with its line break."""
    number = 0
    while True:
        with database.reading() as session:
            lines = after(session, run_id, number, CHUNK, "all")
        if not lines:
            return
        yield "".join(f"{text}\n" for _, text in lines)
        number = lines[-1][0]


def _lines(run_id: int, level: Level) -> Select[int, str]:
    return select(LogLine.number, LogLine.text).where(*_conditions(run_id, level))


def _conditions(run_id: int, level: Level) -> list[ColumnElement[bool]]:
    return [
        LogLine.run_id == run_id,
        *(LogLine.text.not_like(f"{STAMP} {quiet} %") for quiet in QUIETER[level]),
    ]
