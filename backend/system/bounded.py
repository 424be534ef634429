"""Questions whose answer may never come."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Bounded(Generic[Answer]):
    """Asks in a thread of its own and waits for `seconds` at most.

    A network that swallows packets, or a server that was stopped, holds who asks it for as long as it likes. However
    many ask meanwhile, one question is under way.
    """

    def __init__(self, ask: Callable[[], Answer], seconds: float) -> None:
        self._ask, self._seconds = ask, seconds
        self._lock = threading.Lock()
        self._question: _Question[Answer] | None = None

    def answer(self) -> Answer | None:
        """Return what was answered; None where nothing was in time."""
        with self._lock:
            if self._question is None or self._question.done.is_set():
                self._question = _Question(self._ask)
                self._question.start()
            question = self._question
        question.done.wait(self._seconds)
        return question.answered


class _Question(threading.Thread, Generic[Answer]):
    def __init__(self, ask: Callable[[], Answer]) -> None:
        super().__init__(name="question", daemon=True)
        self._ask = ask
        self.done = threading.Event()
        self.answered: Answer | None = None

    def run(self) -> None:
        try:
            self.answered = self._ask()
        finally:
            self.done.set()
