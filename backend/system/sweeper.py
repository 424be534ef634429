"""Looks again at what a lost message or a lost worker would leave behind. Any number of servers may sweep."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from backend.broker import Broker
from backend.database import Database, clock
from backend.models.worker import SILENT_AFTER_BEATS
from backend.observability.context import about_run
from backend.runs import queue, recordings
from backend.settings import Settings
from backend.system import repository
from backend.webhooks.stuck import StuckWatch
from backend.widths import rounds

_log = logging.getLogger(__name__)

FORGET_AFTER_SECONDS = 3600
JUMP_SECONDS = 5.0
"""By which the database's clock may differ from this process' own in one beat before it is taken for a jump."""


class Steadiness:
    """Whether leases may be judged: not while workers may have been unable to renew them, nor by a clock that jumped.

    After the database was away, or its clock was set, whoever lives gets one lease of time to say so.
    """

    def __init__(self, lease_seconds: float) -> None:
        self._lease_seconds = lease_seconds
        self._before: tuple[float, datetime] | None = None
        self._judges_from = 0.0

    def disturbed(self) -> None:
        """Note that the database did not answer."""
        self._before = None
        self._judges_from = time.monotonic() + self._lease_seconds

    def judges(self, moment: datetime) -> bool:
        """Say so, given the database's clock; to be asked at each sweep."""
        own = time.monotonic()
        if self._before is not None:
            drift = (moment - self._before[1]).total_seconds() - (own - self._before[0])
            if abs(drift) > JUMP_SECONDS:
                _log.warning(
                    "the database's clock jumped by %.0f s; leases are judged again in a while", drift
                )
                self._judges_from = own + self._lease_seconds
        self._before = (own, moment)
        return own >= self._judges_from


def _say(words: str, run_ids: Sequence[int], *more: object) -> None:
    for run_id in run_ids:
        with about_run(run_id):
            _log.warning(words, run_id, *more)


class Sweeper(threading.Thread):
    """Every beat: re-queue runs whose lease expired, begin rounds of selection whose runs have ended, and ring again.

    It rings for runs that wait beside an idle worker, and fails those that waited for a run which ended badly.
    """

    def __init__(self, database: Database, broker: Broker, settings: Settings) -> None:
        super().__init__(name="sweeper", daemon=True)
        self._database, self._broker, self._settings = database, broker, settings
        self._stopping = threading.Event()
        self._steadiness = Steadiness(settings.lease_seconds)
        self._swept_at = time.monotonic()
        self._stuck = StuckWatch(settings.stuck_minutes, SILENT_AFTER_BEATS * settings.heartbeat_seconds)

    def run(self) -> None:
        """Sweep until stopped; a database that is away is tried again at the next beat."""
        while not self._stopping.wait(self._settings.heartbeat_seconds):
            try:
                self.sweep()
            except SQLAlchemyError as error:
                self._steadiness.disturbed()
                self._stuck.interrupted()
                _log.warning("the sweep failed and will be tried again: %s", error)

    def age(self) -> float:
        """Return how many seconds ago it last did its round, from its making if it has done none yet."""
        return time.monotonic() - self._swept_at

    def sweep(self) -> list[int]:
        """Sweep once and return the runs rung for."""
        beat = self._settings.heartbeat_seconds
        with self._database.writing() as session:
            queue.shorten_leases(session, self._settings.lease_seconds, recordings.LEASE.total_seconds())
            judges = self._steadiness.judges(clock(session))
            expired = queue.sweep_expired(session, self._settings.max_attempts) if judges else []
            given_up = queue.give_up_waiting(session)
            waiting = queue.waiting_with_idle_worker(session, 2 * beat, SILENT_AFTER_BEATS * beat)
            repository.forget_silent(session, FORGET_AFTER_SECONDS)
        with self._database.writing() as session:
            following = rounds.advance(session, self._settings)
        with self._database.writing() as session:
            stuck = self._stuck.look(session)
        _say("run %d lost its worker and is queued again", expired)
        _say("run %d waited for a run that ended badly", given_up)
        _say("run %d is stuck: it has not moved for %g minutes", stuck, self._settings.stuck_minutes)
        rung = sorted({*expired, *waiting, *following})
        for run_id in rung:
            with about_run(run_id):
                self._broker.ring(run_id)
        self._swept_at = time.monotonic()
        return rung

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        self.join(timeout=10)
