"""How dimensionalities move over a training, and how far two trainings' are apart: arrays in, numbers out.

Values are (layers, snapshots), or (snapshots,) for one number a snapshot, in the order of the training; callers pass
shares of a layer's width, so that tolerances are shares as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CourseKind = Literal["steady", "widens", "narrows", "dips", "peaks"]


def carried(values: Floats) -> Floats:
    """Return the values (layers, snapshots) with each missing one (NaN) as the last before it; NaN where none was."""
    seen = np.where(np.isnan(values), 0, np.arange(values.shape[-1]))
    return np.take_along_axis(values, np.maximum.accumulate(seen, axis=-1), axis=-1)


def settled_at(series: Floats, tolerance: float) -> int:
    """Return the first snapshot from which the series (snapshots,) stays within `tolerance` of its last value."""
    apart = np.flatnonzero(np.abs(series - series[-1]) > tolerance)
    return int(apart[-1]) + 1 if apart.size else 0


@dataclass(frozen=True)
class Course:
    """What a series did: `turn` is the snapshot of its extreme where it dips or peaks, else None."""

    kind: CourseKind
    turn: int | None


def course(series: Floats, tolerance: float) -> Course:
    """Return what the series (snapshots,) did between its first and its last value.

    It dips (peaks) where it falls below (rises above) both of its ends by more than `tolerance`, by the farther of the
    two; otherwise it widens, narrows, or is steady where its ends are no more than `tolerance` apart.
    """
    first, last = series[0], series[-1]
    below, above = min(first, last) - series.min(), series.max() - max(first, last)
    if max(below, above) > tolerance:
        return (
            Course("dips", int(series.argmin())) if below >= above else Course("peaks", int(series.argmax()))
        )
    if abs(last - first) <= tolerance:
        return Course("steady", None)
    return Course("widens" if last > first else "narrows", None)


def moved(values: Floats) -> Floats:
    """Return how far each layer of `values` (layers, snapshots) ends from its start, without sign, (layers,)."""
    return np.abs(values[:, -1] - values[:, 0])


def apart(first: Floats, second: Floats) -> Floats:
    """Return the mean over layers of how far two trainings are apart, without sign, at each snapshot."""
    return np.asarray(np.abs(first - second).mean(axis=0))


def last_not_after(points: Floats, limits: Floats) -> NDArray[np.intp]:
    """Return for each limit the index of the last of the rising `points` that is not after it; 0 where all are."""
    return np.maximum(np.searchsorted(points, limits, side="right") - 1, 0)
