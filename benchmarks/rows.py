"""What is reported: one row for each thing measured, alike for seconds, bytes and rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

NO_GPU = "no GPU was at hand"


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of repeated measurements."""

    median: float
    lower: float
    upper: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Return the spread of at least one value."""
        lower, median, upper = (float(v) for v in np.percentile(values, (25, 50, 75)))
        return cls(median, lower, upper)


@dataclass(frozen=True)
class Row:
    """One thing measured `n` times; `value` is None where it could not be, and `remark` says why.

    `ratio` is the spread of the ratios to `against`, each of two measurements of one round. `budget` is the largest
    ratio that we allow ourselves; `limit` is the largest value instead, or (`at_least`) the smallest.
    """

    name: str
    value: Spread | None
    unit: str = "s"
    n: int = 0
    against: str = ""
    ratio: Spread | None = None
    budget: float | None = None
    remark: str = ""
    limit: float | None = None
    at_least: bool = False

    @property
    def holds(self) -> bool | None:
        """Whether the medians are within budget and limit; None where there is neither or nothing was measured."""
        found = []
        if self.budget is not None and self.ratio is not None:
            found.append(self.ratio.median <= self.budget)
        if self.limit is not None and self.value is not None:
            median = self.value.median
            found.append(median >= self.limit if self.at_least else median <= self.limit)
        return all(found) if found else None


@dataclass(frozen=True)
class Part:
    """One group of rows; `title` names it and `configuration` says, in a sentence or two, what was measured how."""

    title: str
    configuration: str
    rows: tuple[Row, ...]


def alone(
    name: str, values: Sequence[float], unit: str = "s", limit: float | None = None, at_least: bool = False
) -> Row:
    """Return the row of something that stands for itself."""
    return Row(name, Spread.of(values), unit, len(values), limit=limit, at_least=at_least)


def compared(
    name: str,
    values: Sequence[float],
    against: str,
    others: Sequence[float],
    budget: float | None = None,
    unit: str = "s",
) -> Row:
    """Return the row of something and its ratio to something else, measured in the same rounds."""
    ratios = [value / other for value, other in zip(values, others, strict=True)]
    return Row(name, Spread.of(values), unit, len(values), against, Spread.of(ratios), budget)


def missing(name: str, unit: str = "s", budget: float | None = None) -> Row:
    """Return the empty row of what needs a GPU."""
    return Row(name, None, unit, budget=budget, remark=NO_GPU)
