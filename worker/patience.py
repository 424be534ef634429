"""What a trainer reads before it trains waits for a database that is away, instead of failing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.database import Database, does_not_answer, reason

_log = logging.getLogger(__name__)

PAUSE = 1.0


class PatientDatabase(Database):
    """A database whose readers wait until it answers; `check` is called meanwhile and raises to end the waiting."""

    def __init__(self, url: str, check: Callable[[], None]) -> None:
        super().__init__(url)
        self._check = check

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session that only reads, once the database answers."""
        said = False
        while (problem := self._problem()) is not None:
            if not said:
                _log.warning("the database does not answer (%s); waiting for it", problem)
                said = True
            self._check()
            time.sleep(PAUSE)
        with super().reading() as session:
            yield session

    def _problem(self) -> str | None:
        try:
            with super().reading() as session:
                session.execute(text("SELECT 1"))
        except DBAPIError as error:
            if not does_not_answer(error):
                raise
            return reason(error)
        return None
