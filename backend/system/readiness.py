"""Whether this server can do its work, part by part. Each sentence is short and safe to show to anybody."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from backend import migration
from backend.broker import Broker
from backend.database import Database
from backend.errors import EigenscopeError
from backend.settings import Settings
from backend.system.bounded import Bounded
from backend.system.sweeper import Sweeper
from backend.webhooks.messenger import Messenger
from backend.webhooks.receivers import receivers

_log = logging.getLogger(__name__)

BROKER_KEPT_SECONDS = 2.0
"""Anybody may ask for health: however often they do, the broker is asked no more often than this."""
DATABASE_SECONDS = 5.0
BEATS_UNTIL_OVERDUE = 6
LEAST_OVERDUE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Check:
    """One part: what is the case, and whether that is well."""

    part: str
    well: bool
    words: str


_UNKNOWN_MIGRATION = Check("migration", False, "unknown while the database does not answer")


class Readiness:
    """The checks of one server. `sweeper` and `messenger` are set while the server runs."""

    def __init__(self, database: Database, broker: Broker, settings: Settings) -> None:
        self._database, self._broker, self._settings = database, broker, settings
        self._lock = threading.Lock()
        self._broker_seen: tuple[float, Check] | None = None
        self._stored = Bounded(self._of_stored, DATABASE_SECONDS)
        self.sweeper: Sweeper | None = None
        self.messenger: Messenger | None = None

    def checks(self) -> list[Check]:
        """Look at every part and return how it is; a database that does not answer holds nobody up for long."""
        stored = self._stored.answer() or [
            Check("database", False, f"has not answered within {DATABASE_SECONDS:g} s"),
            _UNKNOWN_MIGRATION,
        ]
        return [*stored, self._of_broker(), self._of_disk(), self._of_sweeper(), self._of_messenger()]

    def sweep_age(self) -> float | None:
        """Return how many seconds ago the sweeper did its round, from its start if it has done none yet."""
        return None if self.sweeper is None else self.sweeper.age()

    def _of_stored(self) -> list[Check]:
        database = self._of_database()
        return [database, self._of_migration() if database.well else _UNKNOWN_MIGRATION]

    def _of_database(self) -> Check:
        try:
            with self._database.engine.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
        except SQLAlchemyError as error:
            return _bad("database", "does not answer; see the server's log", error)
        return Check("database", True, self._database.engine.dialect.name)

    def _of_migration(self) -> Check:
        try:
            found, wanted = migration.current(self._database), _newest()
        except (EigenscopeError, SQLAlchemyError) as error:
            return _bad("migration", _UNKNOWN_MIGRATION.words, error)
        if found == wanted:
            return Check("migration", True, found)
        return Check(
            "migration", False, f"the database is at {found}, {wanted} is needed; run `eigenscope migrate`"
        )

    def _of_broker(self) -> Check:
        with self._lock:
            if self._broker_seen is None or time.monotonic() - self._broker_seen[0] > BROKER_KEPT_SECONDS:
                check = _asked(self._broker.check, self._settings.broker.partition(":")[0])
                self._broker_seen = (time.monotonic(), check)
            return self._broker_seen[1]

    def _of_disk(self) -> Check:
        try:
            free = shutil.disk_usage(self._settings.home).free / 2**30
        except OSError as error:
            return _bad(
                "disk", f"the home folder cannot be read: {error.strerror}; check EIGENSCOPE_HOME", error
            )
        if free < self._settings.disk_floor_gib:
            floor = f"{self._settings.disk_floor_gib:g}"
            return Check(
                "disk", False, f"{free:.2f} GiB are free, fewer than {floor}; delete runs or free disk"
            )
        return Check("disk", True, f"{free:.1f} GiB free")

    def _of_sweeper(self) -> Check:
        age = self.sweep_age()
        if self.sweeper is None or age is None:
            return Check("sweeper", False, "not started")
        limit = max(LEAST_OVERDUE_SECONDS, BEATS_UNTIL_OVERDUE * self._settings.heartbeat_seconds)
        alive = self.sweeper.is_alive()
        words = f"ran {age:.1f} s ago" if alive else "has ended; restart the server"
        return Check("sweeper", alive and age < limit, words)

    def _of_messenger(self) -> Check:
        if self.messenger is None:
            return Check("webhooks", False, "not started")
        if not self.messenger.is_alive():
            return Check("webhooks", False, "are delivered no more; restart the server")
        count = len(receivers(self._settings))
        return Check("webhooks", True, f"{count} receiver{'' if count == 1 else 's'}")


@cache
def _newest() -> str:
    return migration.newest()


def _asked(check: Callable[[], None], kind: str) -> Check:
    try:
        check()
    except (BrokerError, RedisError, OSError) as error:
        return _bad("broker", "does not answer; runs start late, at the sweeper's next look", error)
    return Check("broker", True, kind)


def _bad(part: str, words: str, error: Exception) -> Check:
    # Who asks may be anybody: the particulars are for the log alone.
    _log.warning("not ready, %s: %s", part, error)
    return Check(part, False, words)
