"""The engine and its sessions, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, func, make_url, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

BUSY_TIMEOUT_MS = 30_000
PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""Of a PostgreSQL connection: a network that swallows packets is found out in seconds, not in hours."""
POOL = {"pool_size": 12, "max_overflow": -1}
"""Connections that stay open, and no limit of more: who waits for one holds a thread that another may need to give
one back. How many requests have one at a time is limited before (backend/http/room.py)."""
PASSING_STATES = ("08", "53", "57P", "25006", "40001", "40P01")
"""How SQLSTATEs begin that pass: no connection, no room, shutting down, a standby, lost a race."""
PASSING_CODES = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
)


def make_engine(url: str) -> Engine:
    """Return an engine for `url`; SQLite gets WAL, a busy timeout and enforced foreign keys."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        # One in memory has a connection a thread, and no pool of that kind.
        engine = create_engine(parsed, **(POOL if parsed.database else {}))
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    # What the URL itself says goes before.
    patience = {name: value for name, value in PATIENCE.items() if name not in parsed.query}
    return create_engine(parsed, pool_pre_ping=True, connect_args=patience, **POOL)


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver's own implicit BEGIN comes too late to make read-then-write safe; `_begin_sqlite` takes over.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def clock(session: Session) -> datetime:
    """Return the database's own time in UTC, by which leases are reckoned: no machine's wrong clock moves them.

    SQLite has none; its processes share one machine, and so that machine's.
    """
    if session.get_bind().dialect.name != "postgresql":
        return datetime.now(UTC)
    moment: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return moment.astimezone(UTC)


def does_not_answer(error: BaseException) -> bool:
    """Whether the database is away, locked or full, so that the same statement may succeed later."""
    if not isinstance(error, DBAPIError):
        return False
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        # The low byte is the kind; above it stand details.
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in PASSING_CODES
    state = getattr(cause, "sqlstate", None)
    if state is None:
        # The driver itself lost the connection, or never had one.
        return type(cause).__name__ in ("OperationalError", "InterfaceError", "ConnectionTimeout")
    return str(state).startswith(PASSING_STATES)


def reason(error: DBAPIError) -> str:
    """Return what the database said, in one line."""
    words = str(error.orig).strip()
    return words.splitlines()[0] if words else type(error.orig).__name__


class Database:
    """Sessions over one engine. The edge (an endpoint, a command, a task) owns the transaction."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = make_engine(url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session that only reads."""
        with self._sessions() as session, session.begin():
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Yield a session that may write; commit when the block ends well, roll back when it does not.

        On SQLite the write lock is taken at once: a transaction that reads first and writes later would
        otherwise fail, without waiting, when another writer was between.
        """
        with self._sessions() as session, session.begin():
            session.connection(execution_options={"immediate": True})
            yield session

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()
