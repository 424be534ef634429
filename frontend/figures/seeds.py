"""Runs that differ in their seed alone: one mean, and a band that says how far they part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEVIATION_FROM = 3
"""Of two runs a standard deviation says nothing that their two values do not say plainly."""


@dataclass(frozen=True)
class Band:
    """Around a mean of `count` runs: one standard deviation to either side, of two runs the lower and the higher."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    count: int

    @property
    def words(self) -> str:
        """What the band is, behind a mean's name."""
        return "± 1 standard deviation" if self.count >= DEVIATION_FROM else "lower to higher"

    def times(self, factor: float) -> Band:
        """Return the band of numbers that are `factor` times as large."""
        return Band(self.low * factor, self.high * factor, self.count)

    def at(self, points: NDArray[np.intp]) -> Band:
        """Return the band at some of its points."""
        return Band(self.low[points], self.high[points], self.count)


def mean_and_band(values: NDArray[np.floating[Any]]) -> tuple[NDArray[np.float64], Band]:
    """Return the mean over runs of `values` (runs, points), shape (points,), and its band, in float64.

    The deviation is the sample's (ddof 1). Where one of the runs has NaN, so have the mean and the band.
    """
    given = np.asarray(values, dtype=np.float64)
    mean = given.mean(axis=0)
    if len(given) >= DEVIATION_FROM:
        deviation = given.std(axis=0, ddof=1)
        return mean, Band(mean - deviation, mean + deviation, len(given))
    return mean, Band(given.min(axis=0), given.max(axis=0), len(given))


def common(iterations: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
    """Return the iterations that all runs have, rising: nothing is interpolated between those that one lacks."""
    shared = iterations[0]
    for one in iterations[1:]:
        shared = np.intersect1d(shared, one)
    return shared.astype(np.int32)


def rows_at(
    shared: NDArray[np.int32],
    iterations: Sequence[NDArray[np.int32]],
    values: Sequence[NDArray[np.floating[Any]]],
) -> NDArray[np.float64]:
    """Return each run's values at the shared iterations, shape (runs, shared); `iterations` rise."""
    rows = [one[np.searchsorted(at, shared)] for at, one in zip(iterations, values, strict=True)]
    return np.asarray(rows, dtype=np.float64).reshape(len(values), len(shared))
