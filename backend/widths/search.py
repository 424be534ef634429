"""The largest scale whose widths stay within a budget, found exactly."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass

import numpy as np

from backend.architectures.terms import Sizes
from backend.widths.rounding import Floats, Integers, Rounding

ALL = slice(None)

CHUNK = 64
"""Scales evaluated at once: most often the first of them, from the largest down, holds one within the budget."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Most MACs of one image and most parameters; None sets no bound. One of them is set."""

    macs: int | None = None
    parameters: int | None = None

    def holds(self, sizes: Sizes, widths: Integers, terms: slice | np.ndarray = ALL) -> np.ndarray:
        """Return for widths (N, G) whether those terms stay within it, (N,)."""
        within = np.ones(len(widths), bool)
        if self.macs is not None:
            within &= sizes.macs(widths)[:, terms].sum(axis=1) <= self.macs
        if self.parameters is not None:
            within &= sizes.parameters(widths)[:, terms].sum(axis=1) <= self.parameters
        return within


@dataclass(frozen=True, eq=False)
class Search:
    """Widths of a network of which `chosen` groups (indices into `sizes.groups`) follow the scale.

    `fixed` (G,) holds every group's width; those of the chosen ones are replaced.
    """

    sizes: Sizes
    chosen: Integers
    fixed: Integers
    rounding: Rounding

    def widths(self, scales: Floats) -> Integers:
        """Return the widths of all groups at scales (N,), of shape (N, G)."""
        found = np.repeat(self.fixed[None], len(scales), axis=0)
        found[:, self.chosen] = self.rounding.widths(scales)
        return found

    def largest(self, budget: Budget) -> float | None:
        """Return the largest scale at which widths change and are within the budget; 0 if only the least widths are.

        At every scale from there up to the next step the widths are the same. None if not even the least widths hold.
        Sizes grow with the scale, but for a layer that is there only where two widths differ: without such layers,
        what exceeds the budget once does so for ever, which bounds the search; below that every step is looked at,
        from the largest down.
        """
        unconditional = ~self.sizes.conditional
        steps = self.rounding.steps(0.0, self._exceeding(budget, unconditional))
        ends = bisect(
            range(len(steps)),
            False,
            key=lambda k: not self._holds(budget, steps[k : k + 1], unconditional)[0],
        )
        for end in range(ends, 0, -CHUNK):
            part = steps[max(0, end - CHUNK) : end]
            holding = np.flatnonzero(self._holds(budget, part))
            if holding.size:
                return float(part[holding[-1]])
        return 0.0 if self._holds(budget, np.zeros(1))[0] else None

    def _holds(self, budget: Budget, scales: Floats, terms: slice | np.ndarray = ALL) -> np.ndarray:
        return budget.holds(self.sizes, self.widths(scales), terms)

    def _exceeding(self, budget: Budget, terms: np.ndarray) -> float:
        """Return a scale at and above which the budget is exceeded, or at which every width is at its ceiling."""
        scale = 1.0
        while self._holds(budget, np.array([scale]), terms)[0]:
            ceilings = self.rounding.ceilings
            if ceilings is not None and (self.rounding.widths(scale)[0] >= ceilings).all():
                return scale
            scale *= 2
        return scale
