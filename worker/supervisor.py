"""Watches one trainer: renews its lease, passes its words on, ends it when asked, writes how it ended."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import deque

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from backend.database import Database, does_not_answer, reason
from backend.runs import queue
from backend.runs import repository as runs
from backend.settings import Settings
from worker.endings import ending, kills_for_memory
from worker.presence import Presence
from worker.trainer_process import FINISHED, STOPPED, TrainerProcess

_log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5


class Supervisor:
    """Runs one trainer at a time in a process of its own; this process never imports torch."""

    def __init__(self, database: Database, settings: Settings, presence: Presence) -> None:
        self._database, self._settings, self._presence = database, settings, presence
        self._leaving = threading.Event()

    @property
    def leaving(self) -> bool:
        """Whether the worker is about to end."""
        return self._leaving.is_set()

    def leave(self) -> None:
        """Save the run under way, hand it back to the queue and claim no further one."""
        self._leaving.set()

    def supervise(self, run_id: int) -> str:
        """Train a claimed run to its end, whatever that is, and return it in a word."""
        self._presence.working_on = run_id
        try:
            return self._supervise(run_id)
        finally:
            self._presence.working_on = None

    def _supervise(self, run_id: int) -> str:
        try:
            name, processes = self._presence.worker_name, self._processes(run_id)
            process = TrainerProcess(self._settings, run_id, name, processes)
        except OSError as error:
            sentence = f"the trainer could not be started: {error.strerror} ({error.filename})"
            return self._finish(run_id, "failed", sentence)
        try:
            return Watch(self._database, self._settings, self._presence, self._leaving, run_id, process).run()
        finally:
            process.kill()

    def _processes(self, run_id: int) -> int:
        """Return how many trainers share the run: one for each GPU that it demands."""
        with self._database.reading() as session:
            run = runs.get(session, run_id)
            gpus: int | None = run.specification["resources"]["gpus"] if run else None
        return max(1, gpus or 1)

    def _finish(self, run_id: int, status: str, error: str) -> str:
        with self._database.writing() as session:
            queue.finish(session, run_id, self._presence.worker_name, status, error)
        return status


class Watch:
    """One supervision: a loop of looks."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        presence: Presence,
        leaving: threading.Event,
        run_id: int,
        process: TrainerProcess,
    ) -> None:
        self._database, self._settings, self._leaving = database, settings, leaving
        self._owner, self._run_id, self._process = presence.worker_name, run_id, process
        self._cancelled = self._taken_away = False
        self._last_words: deque[str] = deque(maxlen=30)
        self._unwritten: list[str] = []
        self._away = False
        self._memory_kills = kills_for_memory()

    def run(self) -> str:
        """Look until the trainer has ended; return how it ended.

        While the database is away the trainer goes on. The lease may expire meanwhile; it is renewed when the
        database is back, unless another worker has claimed the run: then the trainer is ended.
        """
        while (status := self._process.poll()) is None:
            self._look()
            time.sleep(LOOK_SECONDS)
        self._unwritten += self._words(last=True)
        while (outcome := self._conclusion(status)) is None:
            time.sleep(LOOK_SECONDS)
        return outcome

    def _conclusion(self, status: int) -> str | None:
        """Write how it ended and return that in a word; None while the database does not answer."""
        try:
            return self._conclude(status)
        except DBAPIError as error:
            if not does_not_answer(error):
                raise
            self._say_away(reason(error))
            # A worker that leaves need not wait: the lease expires, and who claims the run finds all of it on disk.
            return "left for another worker to find" if self._leaving.is_set() else None

    def _say_away(self, why: str) -> None:
        if not self._away:
            _log.warning("the database does not answer; run %d goes on without it: %s", self._run_id, why)
        self._away = True

    def _look(self) -> None:
        self._unwritten += self._words()
        try:
            with self._database.writing() as session:
                if not queue.renew(session, self._run_id, self._owner, self._settings.lease_seconds):
                    self._taken_away = True
                else:
                    runs.append_log(session, self._run_id, self._unwritten)
                    self._cancelled = queue.stop_requested(session, self._run_id)
            self._unwritten, self._away = [], False
        except DBAPIError as error:
            self._say_away(reason(error))
        except SQLAlchemyError as error:
            self._say_away(str(error))
        if self._taken_away:
            self._process.kill()
        elif self._cancelled or self._leaving.is_set():
            self._process.stop()

    def _words(self, last: bool = False) -> list[str]:
        lines = self._process.new_lines(last)
        self._last_words.extend(line for line in lines if line.strip())
        return lines

    def _conclude(self, exit_status: int) -> str:
        with self._database.writing() as session:
            if not queue.renew(session, self._run_id, self._owner, self._settings.lease_seconds):
                self._remove_files_of_deleted()
                return "taken away"
            runs.append_log(session, self._run_id, self._unwritten)
            cancelled = self._cancelled or queue.stop_requested(session, self._run_id)
            if exit_status == FINISHED:
                queue.finish(session, self._run_id, self._owner, "succeeded")
                return "succeeded"
            if cancelled:
                queue.finish(session, self._run_id, self._owner, "cancelled")
                return "cancelled"
            if self._leaving.is_set() or exit_status == STOPPED:
                queue.hand_back(session, self._run_id, self._owner)
                return "handed back"
            return self._fail(session, exit_status)

    def _fail(self, session: Session, exit_status: int) -> str:
        kills = kills_for_memory()
        out_of_memory = kills is not None and self._memory_kills is not None and kills > self._memory_kills
        last = self._last_words[-1] if self._last_words else None
        how = ending(exit_status, self._process.error(), last, out_of_memory)
        if how.again and queue.try_again(session, self._run_id, self._owner, self._settings.max_attempts):
            line = f"{how.sentence}; the run is queued again and goes on from its last checkpoint"
            runs.append_log(session, self._run_id, [line])
            return "queued again"
        queue.finish(session, self._run_id, self._owner, "failed", how.sentence)
        return "failed"

    def _remove_files_of_deleted(self) -> None:
        with self._database.reading() as session:
            deleted = runs.get(session, self._run_id) is None
        if deleted:
            shutil.rmtree(self._settings.run_folder(self._run_id), ignore_errors=True)
