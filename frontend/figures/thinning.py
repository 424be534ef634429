"""Long series in as many points as a screen can show, without losing a spike."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_POINTS = 4000
"""Of one line: more than a wide screen has columns."""


def kept_points(values: NDArray[np.floating[Any]], most: int = MOST_POINTS) -> NDArray[np.intp]:
    """Return the rising indices of the points to draw: of each stretch the lowest and the highest, and both ends.

    A series of at most `most` points is kept whole. What is not finite is kept only where its stretch has no more.
    """
    count = len(values)
    if count <= most:
        return np.arange(count)
    given = np.asarray(values, dtype=np.float64)
    stretches = (most - 2) // 2
    length = -(-count // stretches)
    padded = np.full(stretches * length, np.nan)
    padded[:count] = given
    rows = padded.reshape(stretches, length)
    starts = np.arange(stretches) * length
    low = np.where(np.isfinite(rows), rows, np.inf).argmin(axis=1)
    high = np.where(np.isfinite(rows), rows, -np.inf).argmax(axis=1)
    chosen = np.concatenate([[0], starts + low, starts + high, [count - 1]])
    return np.unique(chosen[chosen < count])
