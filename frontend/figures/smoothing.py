"""Noisy series made calm: an exponential mean whose memory is said in iterations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SMOOTHED_FROM = 40
"""With fewer points a mean hides more than it shows, unless it is asked for."""
SHARE = 40
"""Without a wish the mean remembers one part in so many of the run."""
REACH = 500.0
"""Within one piece, exponents stay below this: e^500 is a float64."""


def memory_of(iterations: Sequence[int], asked: float | None) -> float:
    """Return over how many iterations a series is averaged: as asked, else a fortieth of it; 0 for not at all."""
    if asked is not None:
        return asked
    return (iterations[-1] - iterations[0]) / SHARE if len(iterations) >= SMOOTHED_FROM else 0.0


def exponential_mean(
    iterations: Sequence[int], values: NDArray[np.floating[Any]], memory: float
) -> NDArray[np.float64]:
    """Return Σ_j w_ij y_j / Σ_j w_ij over j ≤ i with w_ij = exp(-(x_i - x_j) / memory); `iterations` x rise.

    Divided by the weights there are, the first values are not drawn towards zero (the bias correction of Kingma and
    Ba 2015, §3), and gaps count as long as they are. A value that is not finite is left out: the mean goes on over it.
    """
    x, y = np.asarray(iterations, np.float64), np.asarray(values, np.float64)
    if memory <= 0 or not len(x):
        return y.copy()
    finite = np.isfinite(y)
    sums, weights = _decaying_sums(x / memory, np.where(finite, y, 0.0), finite.astype(np.float64))
    return np.where(weights > 0, sums / np.where(weights > 0, weights, 1.0), np.nan)


def _decaying_sums(
    time: NDArray[np.float64], *series: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """Return of each series the sums Σ_j exp(t_j - t_i) y_j over j ≤ i.

    Piece by piece, each as cumulated sums of y_j exp(t_j), which a piece's length keeps from overflowing.
    """
    found = tuple(np.empty_like(one) for one in series)
    start, carried, before = 0, [0.0] * len(series), float(time[0])
    while start < len(time):
        end = max(start + 1, int(np.searchsorted(time, time[start] + REACH, side="right")))
        here = time[start:end] - time[start]
        fade = float(np.exp(before - time[start]))
        for k, one in enumerate(series):
            found[k][start:end] = (np.cumsum(one[start:end] * np.exp(here)) + carried[k] * fade) * np.exp(
                -here
            )
            carried[k] = float(found[k][end - 1])
        before, start = float(time[end - 1]), end
    return found
