"""Looks again at what a lost message or a lost worker would leave behind. Any number of servers may sweep."""

from __future__ import annotations

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from backend.broker import Broker
from backend.database import Database
from backend.models.worker import SILENT_AFTER_BEATS
from backend.runs import queue
from backend.settings import Settings
from backend.system import repository
from backend.widths import rounds

_log = logging.getLogger(__name__)

FORGET_AFTER_SECONDS = 3600


class Sweeper(threading.Thread):
    """Every beat: re-queue runs whose lease expired, begin rounds of selection whose runs have ended, and ring again.

    It rings for runs that wait beside an idle worker, and fails those that waited for a run which ended badly.
    """

    def __init__(self, database: Database, broker: Broker, settings: Settings) -> None:
        super().__init__(name="sweeper", daemon=True)
        self._database, self._broker, self._settings = database, broker, settings
        self._stopping = threading.Event()

    def run(self) -> None:
        """Sweep until stopped; a database that is away is tried again at the next beat."""
        while not self._stopping.wait(self._settings.heartbeat_seconds):
            try:
                self.sweep()
            except SQLAlchemyError as error:
                _log.warning("the sweep failed and will be tried again: %s", error)

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
        for run_id in expired:
            _log.warning("run %d lost its worker and is queued again", run_id)
        for run_id in given_up:
            _log.warning("run %d waited for a run that ended badly", run_id)
        rung = sorted({*expired, *waiting, *following})
        for run_id in rung:
            self._broker.ring(run_id)
        return rung

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        self.join(timeout=10)
