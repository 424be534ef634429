"""Watches one trainer: renews its lease, passes its words on, ends it when asked, writes how it ended."""

from __future__ import annotations

import logging
import shutil
import signal
import threading
import time
from collections import deque

from sqlalchemy.exc import SQLAlchemyError

from backend.database import Database
from backend.runs import queue
from backend.runs import repository as runs
from backend.settings import Settings
from worker.presence import Presence
from worker.trainer_process import FAILED, FINISHED, STOPPED, TrainerProcess

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
            name, processes = self._presence.worker_name, self._processes(run_id)
            process = TrainerProcess(self._settings, run_id, name, processes)
        except OSError as error:
            sentence = f"the trainer could not be started: {error.strerror} ({error.filename})"
            return self._finish(run_id, "failed", sentence)
        try:
            return Watch(self._database, self._settings, self._presence, self._leaving, run_id, process).run()
        finally:
            process.kill()
            self._presence.working_on = None

    def _processes(self, run_id: int) -> int:
        """Return how many trainers share the run: one for each GPU that it demands."""
        with self._database.reading() as session:
            run = runs.get(session, run_id)
            gpus: int | None = run.specification["resources"]["gpus"] if run else None
        return max(1, gpus or 1)

    def _finish(self, run_id: int, status: str, error: str) -> str:
        with self._database.writing() as session:
            queue.finish(session, run_id, self._presence.worker_name, status, error)
        self._presence.working_on = None
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

    def run(self) -> str:
        """Look until the trainer has ended; return how it ended."""
        while (status := self._process.poll()) is None:
            self._look()
            time.sleep(LOOK_SECONDS)
        self._unwritten += self._words(last=True)
        return self._conclude(status)

    def _look(self) -> None:
        self._unwritten += self._words()
        try:
            with self._database.writing() as session:
                if not queue.renew(session, self._run_id, self._owner, self._settings.lease_seconds):
                    self._taken_away = True
                else:
                    runs.append_log(session, self._run_id, self._unwritten)
                    self._cancelled = queue.stop_requested(session, self._run_id)
            self._unwritten = []
        except SQLAlchemyError as error:
            _log.warning("the database does not answer; run %d goes on without it: %s", self._run_id, error)
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
            queue.finish(session, self._run_id, self._owner, "failed", self._reason(exit_status))
            return "failed"

    def _remove_files_of_deleted(self) -> None:
        with self._database.reading() as session:
            deleted = runs.get(session, self._run_id) is None
        if deleted:
            shutil.rmtree(self._settings.run_folder(self._run_id), ignore_errors=True)

    def _reason(self, exit_status: int) -> str:
        sentence = self._process.error()
        if exit_status == FAILED and sentence:
            return sentence
        if exit_status < 0:
            name = signal.Signals(-exit_status).name
            hint = (
                "; the machine may have run out of memory, lower the batch or image size"
                if name == "SIGKILL"
                else ""
            )
            return f"the trainer was ended by {name}{hint}"
        words = self._last_words[-1] if self._last_words else "it printed nothing"
        return f"the trainer crashed with exit status {exit_status}: {words[:500]} (the log has the trace)"
