"""Widths from one scale: w_g(s) = round_to(divisor, s d_g)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TIE = 1e-9
"""Steps of two groups that lie so close, relatively, are one: their quotients differ by float64's rounding only."""


@dataclass(frozen=True, eq=False)
class Rounding:
    """How `dimensions` (G,), all positive, become widths at a scale s.

    A width is s d_g rounded to the nearest multiple of `divisor`, halves up; at least `minimum` (itself rounded up to
    such a multiple), and at most `ceilings` (G,) where they are given (a ceiling need be no multiple).
    """

    dimensions: Floats
    divisor: int
    minimum: int
    ceilings: Integers | None = None

    def widths(self, scales: ArrayLike) -> Integers:
        """Return the widths at scales (N,), of shape (N, G)."""
        quotients = np.atleast_1d(np.asarray(scales, np.float64))[:, None] * self.dimensions / self.divisor
        rounded = np.floor(quotients * (1 + TIE) + 0.5).astype(np.int64)
        widths = self.divisor * np.maximum(rounded, self._least)
        return widths if self.ceilings is None else np.minimum(widths, self.ceilings)

    def steps(self, lowest: float, highest: float) -> Floats:
        """Return the scales above `lowest` and up to `highest` at which some width changes, rising.

        Between two of them all widths stay what they are, and at each they are already those of the scales after it.
        """
        found = [np.zeros(0)]
        for index, dimension in enumerate(self.dimensions):
            first = max(self._least + 1, int(np.floor(lowest * dimension / self.divisor + 0.5)))
            last = int(np.floor(highest * dimension / self.divisor + 0.5))
            if self.ceilings is not None:
                last = min(last, -(-int(self.ceilings[index]) // self.divisor))
            found.append((np.arange(first, last + 1) - 0.5) * self.divisor / dimension)
        scales = np.unique(np.concatenate(found))
        return scales[(scales > lowest) & (scales <= highest)]

    @property
    def _least(self) -> int:
        return max(1, -(-self.minimum // self.divisor))
