"""Numbers for hovers in as few bytes as they need."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST = np.iinfo(np.uint16).max


def packed(*columns: NDArray[np.floating[Any]]) -> NDArray[Any]:
    """Return arrays of one shape (…) as one (…, columns): 16 bit where all are whole numbers, else float32.

    What is missing is then 0: a hover is not shown where nothing is drawn.
    """
    stacked = np.stack(columns, axis=-1)
    known = np.nan_to_num(stacked, nan=0.0)
    if np.all((known == np.rint(known)) & (known >= 0) & (known <= LARGEST)):
        return known.astype(np.uint16)
    return stacked.astype(np.float32)
