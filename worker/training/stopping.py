"""The wish to stop: a signal sets it, and work that can stop asks for it. Imports nothing slow."""

from __future__ import annotations

import os
import signal
from types import FrameType


class StopRequested(Exception):
    """The run was asked to stop; it saves a checkpoint and ends."""


class StopFlag:
    """Set by SIGUSR1, by a first SIGTERM, and when the supervising process is gone: an orphan would train for nobody.

    Whoever ends a service may send SIGTERM to all its processes at once: a checkpoint is written then too. A second
    one, or one after SIGUSR1, which is the supervisor's when its patience is over, ends the process where it is.
    """

    def __init__(self, supervisor: int | None = None) -> None:
        self._supervisor = supervisor
        self._signalled = False

    def listen(self) -> None:
        """Take SIGUSR1 from now on, and one that was held back until now."""
        signal.signal(signal.SIGUSR1, self._on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        if "WORLD_SIZE" not in os.environ:
            # Of several ranks torchrun ends those that are left with SIGTERM: they could agree on nothing any more.
            signal.signal(signal.SIGTERM, self._on_term)

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

    def _on_term(self, _number: int, _frame: FrameType | None) -> None:
        if self._signalled:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)
        self.request()
