"""How a spectrum is drawn: as eigenvalues, over the largest, or as a growing share of the trace; on which axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Height = Literal["absolute", "relative", "cumulative"]
AxisKind = Literal["log", "linear"]

FLOOR = 1e-7
"""The axis ends here at the latest: eigenvalues below it are rounding, and the paper's threshold is 1e-3."""
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)

TITLES: dict[Height, str] = {
    "absolute": "eigenvalue λ<sub>j</sub>",
    "relative": "λ<sub>j</sub> / λ<sub>1</sub>",
    "cumulative": "share of the trace in the first j",
}
HOVERS: dict[Height, str] = {
    "absolute": "λ<sub>%{x}</sub> = %{y:.3~g}",
    "relative": "λ<sub>%{x}</sub> / λ<sub>1</sub> = %{y:.3~g}",
    "cumulative": "the first %{x:,}: %{y:.2%} of the trace",
}
LEVELS: dict[str, Height] = {"absolute": "absolute", "relative": "relative", "variance": "cumulative"}
"""Criteria whose threshold is a level of one of the heights, and which: there it is drawn as a line."""


@dataclass(frozen=True)
class SpectrumScale:
    """What stands on the axes; `y` None takes the usual one: logarithmic, of a share linear."""

    height: Height = "absolute"
    x: AxisKind = "log"
    y: AxisKind | None = None

    @property
    def y_kind(self) -> AxisKind:
        """The vertical axis' kind."""
        return self.y or ("linear" if self.height == "cumulative" else "log")

    def drawn(self, eigenvalues: ArrayLike) -> NDArray[np.float64]:
        """Return what is drawn of spectra, descending along the last axis.

        A negative eigenvalue, which a covariance has from rounding only, adds nothing to a share. A spectrum
        without a positive eigenvalue has no shares: NaN.
        """
        values = np.asarray(eigenvalues, dtype=np.float64)
        if self.height == "absolute":
            return values
        if self.height == "relative":
            whole = values[..., :1]
        else:
            values = np.cumsum(np.maximum(values, 0), axis=-1)
            whole = values[..., -1:]
        return np.divide(values, whole, out=np.full_like(values, np.nan), where=whole > 0)

    def level(self, criterion: str, threshold: float | None) -> float | None:
        """Return the height at which the threshold is a line; None where it is none."""
        return threshold if LEVELS.get(criterion) == self.height else None

    def x_axis(self, widest: int) -> dict[str, Any]:
        """Return the axis of indices up to `widest`."""
        title = {"text": "index j of the eigenvalue"}
        if self.x == "linear":
            return {"type": "linear", "range": [0, 1.02 * widest], "tickformat": ",d", "title": title}
        ticks = [tick for tick in TICKS if tick <= widest]
        return {
            "type": "log",
            "range": [-0.03, float(np.log10(max(widest, 2))) + 0.03],
            "tickmode": "array",
            "tickvals": ticks,
            "ticktext": [f"{tick:,}" for tick in ticks],
            "title": title,
        }

    def y_axis(self, smallest: float, largest: float, level: float | None) -> dict[str, Any]:
        """Return the axis that holds all heights from the smallest positive to the largest, and the level."""
        title = {"text": TITLES[self.height]}
        share = self.height == "cumulative"
        if self.y_kind == "linear":
            top = 1.0 if share else max(largest, level or 0)
            form = {"tickformat": ".0%"} if share else {}
            return {"type": "linear", "range": [0, 1.04 * top], "title": title, **form}
        ticks = {"exponentformat": "power", "dtick": 1, "tickfont": {"size": 9.5}}
        if share:
            low = max(min(smallest, 0.5), FLOOR)
            ticks = (
                {"tickformat": ".3~%", "dtick": "D1"} if low > 0.01 else {"tickformat": ".3~%", "dtick": 1}
            )
            return {"type": "log", "range": [float(np.log10(low)) - 0.02, 0.01], "title": title, **ticks}
        return {"type": "log", "range": log_range(smallest, largest, level), "title": title, **ticks}


def log_range(smallest: float, largest: float, threshold: float | None) -> list[float]:
    """Return a log axis' range in decades that holds the spectrum above `FLOOR` and the threshold."""
    low = max(smallest, FLOOR)
    high = max(largest, low * 10)
    if threshold is not None and threshold > 0:
        low, high = min(low, threshold / 10), max(high, threshold * 10)
    return [float(np.log10(low)) - 0.1, float(np.log10(high)) + 0.1]
