"""Finds out that this worker has become deaf: the broker takes messages, and none reaches it (celery #8030, #10302)."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from backend.broker import Broker
from backend.database import Database
from backend.runs import queue
from backend.settings import Settings
from worker.presence import Presence

_log = logging.getLogger(__name__)

WAITING_BEATS = 3
"""A run that waits so long beside this idle worker is rung for: the sweeper has done so before, if a server lives."""
DEAF_BEATS = 4
"""Unheard for so long after the broker took the message, the worker leaves."""
SECONDS_TO_LEAVE = 20.0
EXIT_STATUS = 75
"""Of a worker that left because it was deaf: whoever started it is to start it again."""


class Watchdog(threading.Thread):
    """Looks every beat while the worker is idle. A broker that does not answer is no reason to leave.

    Celery goes on trying to reach that one, and a worker started anew could do no more.
    """

    def __init__(
        self,
        database: Database,
        broker: Broker,
        settings: Settings,
        presence: Presence,
        leave: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._database, self._broker, self._presence = database, broker, presence
        self._beat = settings.heartbeat_seconds
        self._leave = leave or leave_for_good
        self._stopping = threading.Event()
        self._rung_at: float | None = None
        self.deaf = False

    def run(self) -> None:
        """Look until stopped, or until the worker is found deaf."""
        while not self._stopping.wait(self._beat) and not self.deaf:
            try:
                self.look()
            except SQLAlchemyError as error:
                self._rung_at = None
                _log.warning("the database does not answer, so nobody knows what waits: %s", error)

    def look(self) -> None:
        """Ring for what waits too long; leave if that was done before and was not heard."""
        run_id = None if self._presence.working_on is not None else self._waiting()
        if run_id is None:
            self._rung_at = None
        elif self._rung_at is None:
            if self._broker.ring(run_id):
                self._rung_at = time.monotonic()
        elif time.monotonic() - self._rung_at > DEAF_BEATS * self._beat:
            _log.error(
                "run %d waits, the broker takes messages and none arrives here: this worker leaves", run_id
            )
            self.deaf = True
            self._leave()

    def heard(self) -> None:
        """Note that a message has arrived."""
        self._rung_at = None

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()

    def _waiting(self) -> int | None:
        with self._database.reading() as session:
            return queue.waiting_longer(session, WAITING_BEATS * self._beat)


def leave_for_good() -> None:
    """End this process as SIGTERM does; where its loop does not even hear that, at once: it has no run to save."""
    os.kill(os.getpid(), signal.SIGTERM)
    timer = threading.Timer(SECONDS_TO_LEAVE, os._exit, (EXIT_STATUS,))
    timer.daemon = True
    timer.start()
