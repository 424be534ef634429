"""What a drill has measured, beside the limit that it must keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Unit = Literal["ms", "s", "", "%", "MiB", "kB"]


@dataclass(frozen=True)
class Finding:
    """A number in its unit; a limit of None is none. Where `at_least`, the limit is the lowest that holds."""

    what: str
    value: float
    unit: Unit
    limit: float | None = None
    more: str = ""
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the limit is kept; a number that is none keeps no limit."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def number(self) -> str:
        """The value with its unit."""
        return _number(self.value, self.unit)

    @property
    def bound(self) -> str:
        """The limit with its sign; empty where there is none."""
        return (
            "" if self.limit is None else f"{'≥' if self.at_least else '≤'} {_number(self.limit, self.unit)}"
        )

    def line(self) -> str:
        """Return it as a line of the drill's report."""
        bound = f" ({self.bound})" if self.bound else ""
        more = f", {self.more}" if self.more else ""
        return f"{self.what}: {self.number}{bound}{more}{'' if self.holds else '  BROKEN'}"


def _number(value: float, unit: Unit) -> str:
    digits = {"ms": 0, "s": 2, "": 0, "%": 0, "MiB": 1, "kB": 1}[unit]
    return f"{value:,.{digits}f}{' ' if unit else ''}{unit}"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` percent do not exceed, one that was measured; NaN of none."""
    return float(np.percentile(values, share, method="higher")) if values else float("nan")


def durations(what: str, seconds: Sequence[float], limit: float | None, share: float = 99.0) -> Finding:
    """Return a percentile of durations in milliseconds, with their median and the longest."""
    middle, worst = percentile(seconds, 50), max(seconds, default=float("nan"))
    more = f"median {1000 * middle:,.0f} ms, worst {1000 * worst:,.0f} ms of {len(seconds):,}"
    return Finding(f"{what}, p{share:g}", 1000 * percentile(seconds, share), "ms", limit, more)


def growth_of(samples: Sequence[tuple[float, float]]) -> float:
    """Return by how much a line through the later two thirds of (seconds, value) rises from its end to end."""
    if not samples:
        return float("nan")
    times, values = np.array(samples, float).T
    later = times >= times[0] + (times[-1] - times[0]) / 3
    if later.sum() < 2:
        return float("nan")
    slope = np.polyfit(times[later] - times[0], values[later], 1)[0]
    return float(slope * (times[later][-1] - times[later][0]))
