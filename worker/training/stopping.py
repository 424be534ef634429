"""The wish to stop: a signal sets it, and work that can stop asks for it. Imports nothing slow."""

from __future__ import annotations

import os
import signal
from types import FrameType


class StopRequested(Exception):
    """The run was asked to stop; it saves a checkpoint and ends."""


class StopFlag:
    """Set by SIGUSR1, and when the supervising process is gone: an orphan would train for nobody."""

    def __init__(self, supervisor: int | None = None) -> None:
        self._supervisor = supervisor
        self._signalled = False

    def listen(self) -> None:
        """Take SIGUSR1 from now on, and one that was held back until now."""
        signal.signal(signal.SIGUSR1, self._on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})

    def request(self) -> None:
        """Ask to stop."""
        self._signalled = True

    @property
    def requested(self) -> bool:
        """Whether to stop."""
        return self._signalled or (self._supervisor is not None and os.getppid() != self._supervisor)

    def check(self) -> None:
        """Raise `StopRequested` if to stop."""
        if self.requested:
            raise StopRequested

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.request()
