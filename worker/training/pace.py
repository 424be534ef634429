"""How fast it goes, and when it is time to say so."""

from __future__ import annotations

import time

WEIGHT = 0.1
"""Of the newest iteration in the running mean."""


class Pace:
    """A running mean of the seconds that an iteration takes, without probing, evaluating and saving."""

    def __init__(self) -> None:
        self._sum = self._weight = 0.0

    def add(self, seconds: float) -> None:
        """Add one iteration."""
        self._sum += WEIGHT * (seconds - self._sum)
        self._weight += WEIGHT * (1.0 - self._weight)

    @property
    def seconds(self) -> float:
        """The mean; the first iterations are not drawn towards zero (Kingma & Ba 2015, §3)."""
        return self._sum / self._weight


class Mean:
    """The mean of all that was added; None of nothing."""

    def __init__(self) -> None:
        self._sum, self._count = 0.0, 0

    def add(self, value: float) -> None:
        """Add one value."""
        self._sum, self._count = self._sum + value, self._count + 1

    @property
    def value(self) -> float | None:
        """The mean so far."""
        return self._sum / self._count if self._count else None


class Stopwatch:
    """Seconds since a run's start, pauses between its attempts left out; `before` is what earlier ones took."""

    def __init__(self) -> None:
        self.before = 0.0
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long the run has trained, probed, evaluated and saved by now."""
        return self.before + time.monotonic() - self._began


class Due:
    """Says yes at most once in so many seconds; the first time after that many."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last = time.monotonic()

    def __call__(self) -> bool:
        """Whether it is time again."""
        if time.monotonic() - self._last < self._seconds:
            return False
        self._last = time.monotonic()
        return True
