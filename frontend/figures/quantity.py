"""What a criterion's number is to a reader: a share of the layer's channels, or a slope that has no such bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backend.spectra.criteria import CRITERIA
from frontend.figures.axes import axis_top

SLOPE_TOP: Final = 4
"""Where the colours of slopes end, whatever the data: 28 maps of a ResNet-50, trained and not, lie from 1.3 to 3.9."""


@dataclass(frozen=True)
class Quantity:
    """How figures name a criterion's number and scale it.

    `name` stands in titles, `axis` at an axis of the numbers as they are; `difference` is the unit of a difference.
    With `of_width`, layers of different widths are compared as shares of their width.
    """

    name: str
    short: str
    axis: str
    difference: str
    of_width: bool

    def drawn(self, values: NDArray[np.float64], widths: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the numbers as layers are compared by them."""
        return values / widths if self.of_width else values

    def axis_top(self, largest: float, full: float) -> float:
        """Return where an axis ends that has to hold `largest`, and could hold `full`."""
        return axis_top(largest, full) if self.of_width else 1.15 * max(largest, 0.5)

    @property
    def title(self) -> str:
        """The name where layers of different widths are compared."""
        return f"{self.name} as a share of the layer's width" if self.of_width else self.name

    @property
    def meta(self) -> dict[str, str]:
        """What a page puts in place of its own words for a dimensionality."""
        return {"quantity": self.short, "unit": self.difference}

    @property
    def colours(self) -> dict[str, Any]:
        """The scale of a heatmap, bright where a map uses many dimensions."""
        bar: dict[str, Any] = {"thickness": 8, "outlinewidth": 0, "ticks": "", "len": 1, "y": 0.5, "xpad": 6}
        if self.of_width:
            ends: dict[str, Any] = {"zmin": 0, "zmax": 1}
            bar |= {"tickformat": ".0%", "tickvals": [0, 0.5, 1]}
        else:
            ends = {"zmin": 0, "zmax": SLOPE_TOP, "reversescale": True}
            bar |= {"tickvals": [0, 1, 2, 3, SLOPE_TOP], "ticktext": ["0", "1", "2", "3", f"{SLOPE_TOP}+"]}
        return {"colorscale": "Viridis", "colorbar": bar, **ends}


DIMENSIONS: Final = Quantity(
    name="intrinsic dimensionality",
    short="Dimensionality",
    axis="dimensionality d (channels)",
    difference="in points of the width",
    of_width=True,
)
SLOPE: Final = Quantity(
    name="power-law slope α",
    short="Power-law slope α",
    axis="power-law slope α",
    difference="in units of α",
    of_width=False,
)


def quantity(criterion: str) -> Quantity:
    """Return what the criterion's number is."""
    return SLOPE if CRITERIA[criterion].unit == "slope" else DIMENSIONS
