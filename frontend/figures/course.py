"""What a figure along training counts: iterations, epochs, the share of the training, or time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Counted = Literal["iteration", "epoch", "relative", "wall"]
Scale = Literal["", "linear", "log"]
"""Empty: as suits what is counted."""

Places = NDArray[np.float64]


@dataclass(frozen=True)
class Course:
    """Where a run's iterations lie along an axis, by straight lines between places that are known.

    `iterations` rise from 0, as do `places`. Beyond the last one the run is taken to go on at its mean pace.
    """

    iterations: Places
    places: Places

    def at(self, iterations: ArrayLike) -> Places:
        """Return where these iterations lie, shape as given, float64."""
        asked = np.asarray(iterations, dtype=np.float64)
        known, places = self.iterations, self.places
        beyond = asked / known[-1] * places[-1]
        return np.where(asked > known[-1], beyond, np.interp(asked, known, places))


def even_course(per_iteration: float) -> Course:
    """Return the course of a run whose iterations all take the same."""
    return Course(np.array([0.0, 1.0]), np.array([0.0, per_iteration]))


def known_course(iterations: Sequence[int], places: ArrayLike) -> Course | None:
    """Return the course through what a run told, from 0; None where it told nothing of use.

    What is not finite is left out, and what falls behind an earlier place stands still there.
    """
    at, told = np.asarray(iterations, dtype=np.float64), np.asarray(places, dtype=np.float64)
    good = np.isfinite(told) & (at > 0)
    if not good.any():
        return None
    at, told = at[good], np.maximum.accumulate(np.maximum(told[good], 0.0))
    return Course(np.concatenate([[0.0], at]), np.concatenate([[0.0], told]))
