"""The power law behind a slope, to be drawn over its spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backend.spectra.criteria import CRITERIA, dimensionality


@dataclass(frozen=True)
class PowerLaw:
    """The line λ_j = `first` j^−`slope` through the ranks 1 to `ranks`."""

    slope: float
    first: float
    ranks: int

    def at(self, rank: float) -> float:
        """Return the line's eigenvalue at a rank."""
        return float(self.first * rank**-self.slope)


def fitted_power_law(eigenvalues: ArrayLike, threshold: float | None = None) -> PowerLaw | None:
    """Return the least-squares line whose slope the criterion "power_law" gives; None where it is undefined.

    `eigenvalues` is one spectrum (C,), descending; `threshold` is τ, None for the criterion's own.
    Raises ValueError as `dimensionality` does.
    """
    slope = float(dimensionality(eigenvalues, "power_law", threshold))
    if np.isnan(slope):
        return None
    values = np.asarray(eigenvalues, dtype=np.float64)
    share = CRITERIA["power_law"].default_threshold if threshold is None else threshold
    ranks = int(dimensionality(eigenvalues, "relative", share))
    used = np.arange(1, ranks + 1, dtype=np.float64)
    return PowerLaw(slope, float(np.exp(np.mean(np.log(values[:ranks]) + slope * np.log(used)))), ranks)
