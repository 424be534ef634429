"""Brings entries to the database in their order: at once while it answers, by way of the journal while it does not."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

from backend.database import does_not_answer, reason
from backend.errors import EigenscopeError, Unavailable
from worker.delivery import Delivery, RunTakenAway
from worker.entries import Entry, from_bytes, to_bytes
from worker.journal import Journal

_log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
"""Seconds between attempts to deliver; each is twice the one before."""
PATIENCE_WHEN_STOPPING = 5.0
"""Seconds given to delivery when the run is to stop: what is left then waits in the journal for the next trainer."""
LOOK = 0.2


class Courier:
    """Sends entries. While the journal holds any, a thread delivers them and training only adds to it.

    When the journal holds `limit` bytes, or its disk is full, `send` waits until the database has taken what is
    there: nothing is thrown away. A wish to stop (`should_stop`) ends the waiting.
    """

    def __init__(
        self, delivery: Delivery, journal: Journal, limit: float, should_stop: Callable[[], bool]
    ) -> None:
        self._delivery, self._journal, self._limit = delivery, journal, limit
        self._should_stop = should_stop
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None
        self.was_away = False

    def send(self, entry: Entry) -> bool:
        """Return whether the database has the entry; if not, the journal has.

        Raises `RunTakenAway`, `Unavailable` when neither takes it and the run is to stop, and what is no passing
        error of the database.
        """
        pause, said = FIRST_PAUSE, False
        while True:
            self._raise_failure()
            with self._lock:
                straight = not self._journal
            problem = self._written(entry) if straight else ""
            if problem is None:
                return True
            full = self._kept(entry, problem)
            if full is None:
                return False
            if self._should_stop():
                raise Unavailable(
                    f"{full}, and the database does not answer; mend one of them, then resume the run"
                )
            if not said:
                _log.warning("%s: the run waits until the database answers or it is asked to stop", full)
                said = True
            self._wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def close(self) -> bool:
        """Return whether all of it was delivered; waits for that, but not long once the run is to stop."""
        deadline: float | None = None
        while self._journal and self._failure is None:
            if deadline is None and self._should_stop():
                deadline = time.monotonic() + PATIENCE_WHEN_STOPPING
            if deadline is not None and time.monotonic() > deadline:
                break
            time.sleep(LOOK)
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        left = len(self._journal)
        if isinstance(self._failure, RunTakenAway):
            self._journal.discard()
        elif left:
            _log.warning("%d records wait in the journal; they are delivered when the run goes on", left)
        self._journal.close()
        return not left

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _written(self, entry: Entry) -> str | None:
        """Write it at once and return None, or why the database does not take it."""
        try:
            self._delivery.write(entry)
        except DBAPIError as error:
            if not does_not_answer(error):
                raise
            return reason(error)
        return None

    def _kept(self, entry: Entry, problem: str | None) -> str | None:
        """Add it to the journal and return None, or why there is no room for it."""
        record = to_bytes(entry, self._delivery.home)
        with self._lock:
            if self._journal and self._journal.bytes + len(record) > self._limit and not self._should_stop():
                return f"the journal holds {self._journal.bytes / 1e6:,.1f} MB, as much as it may"
            try:
                self._journal.append(record)
            except OSError as error:
                return f"the journal cannot be written ({error.strerror})"
            if self._thread is None:
                if problem:
                    _log.warning(
                        "the database does not answer (%s); what is measured is kept on disk", problem
                    )
                self.was_away = True
                self._thread = threading.Thread(target=self._deliver, name="courier", daemon=True)
                self._thread.start()
        return None

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._should_stop():
            time.sleep(LOOK)

    def _deliver(self) -> None:
        """Deliver until nothing is left; what cannot be mended by waiting is raised by the next `send`."""
        pause, delivered = FIRST_PAUSE, 0
        try:
            while not self._closing.is_set():
                with self._lock:
                    record = self._journal.first()
                if self._written(from_bytes(record, self._delivery.home)) is not None:
                    self._closing.wait(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
                    continue
                pause, delivered = FIRST_PAUSE, delivered + 1
                with self._lock:
                    self._journal.drop_first()
                    if not self._journal:
                        _log.info("the database answers again; %d records were delivered", delivered)
                        self._thread = None
                        return
        except (RunTakenAway, EigenscopeError, DBAPIError, OSError, ValueError) as error:
            self._failure = error
