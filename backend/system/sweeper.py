"""Looks again at what a lost message or a lost worker would leave behind. Any number of servers may sweep."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from backend.broker import Broker
from backend.database import Database
from backend.observability.context import about_run
from backend.runs import queue
from backend.settings import Settings
from backend.system import repository
from backend.system.endpoints import SILENT_AFTER_BEATS
from backend.webhooks.stuck import StuckWatch
from backend.widths import rounds

_log = logging.getLogger(__name__)

FORGET_AFTER_SECONDS = 3600


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
        self._swept_at = time.monotonic()
        self._stuck = StuckWatch(settings.stuck_minutes, SILENT_AFTER_BEATS * settings.heartbeat_seconds)

    def run(self) -> None:
        """Sweep until stopped; a database that is away is tried again at the next beat."""
        while not self._stopping.wait(self._settings.heartbeat_seconds):
            try:
                self.sweep()
            except SQLAlchemyError as error:
                self._stuck.interrupted()
                _log.warning("the sweep failed and will be tried again: %s", error)

    def age(self) -> float:
        """Return how many seconds ago it last did its round, from its making if it has done none yet."""
        return time.monotonic() - self._swept_at

    def sweep(self) -> list[int]:
        """Sweep once and return the runs rung for."""
        beat = self._settings.heartbeat_seconds
        with self._database.writing() as session:
            expired = queue.sweep_expired(session, self._settings.max_attempts)
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
