"""Where two runs' dimensionalities part, by layer and iteration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from frontend.figures.along import BY_ITERATION, Along
from frontend.figures.axes import FigureLayer, layer_axis, stage_separators
from frontend.figures.colours import PALETTES, Theme, hue, run_colour
from frontend.figures.course import Places
from frontend.figures.packing import packed
from frontend.figures.quantity import DIMENSIONS, Quantity
from frontend.figures.runs import FigureRun
from frontend.figures.snapshots import column_axis, column_names
from frontend.figures.theme import make_figure

SMALLEST_SCALE = 0.05
"""The scale ends at no less than 5 points, or 0.05 of a slope, so that noise between equal runs does not look like a
finding."""


def heatmap_difference(
    first: FigureRun,
    second: FigureRun,
    layers: Sequence[FigureLayer],
    iterations: Sequence[int],
    shares: tuple[NDArray[np.float64], NDArray[np.float64]],
    theme: Theme = "light",
    quantity: Quantity = DIMENSIONS,
    along: Along = BY_ITERATION,
    places: Places | None = None,
    others: Sequence[int] | None = None,
    notes: Sequence[str] = (),
) -> go.Figure:
    """Draw the first run's share of the full width minus the second's, in points, over what both have.

    `shares` are two arrays (layers x iterations) of dimensionality over width, or of slopes, whose difference is drawn
    as it is; NaN where missing. `iterations` and `places` are the first run's, `others` the second's iterations where
    these are not the same. The scale is centred at zero and ends in each run's own colour: a cell has the colour of
    the run that is higher. Two runs of one hue would leave the sign unread: theirs ends in purple (first higher) and
    green (second).
    """
    names = _column_names(iterations, places, along, others)
    difference = np.asarray(shares[0], dtype=np.float64) - np.asarray(shares[1], dtype=np.float64)
    finite = np.abs(difference[np.isfinite(difference)])
    end = max(SMALLEST_SCALE, float(finite.max()) if finite.size else 0.0)
    high, low = _ends(first, second, theme)
    points = 100 if quantity.of_width else 1
    trace = go.Heatmap(
        x=names,
        y=[layer.hover for layer in layers],
        z=(points * difference).astype(np.float32),
        customdata=_both(shares, quantity),
        zmin=-points * end,
        zmid=0,
        zmax=points * end,
        colorscale=[[0, low], [0.5, PALETTES[theme].neutral], [1, high]],
        colorbar={"thickness": 8, "outlinewidth": 0, "ticks": "", "nticks": 5, "len": 1, "y": 0.5, "xpad": 6},
        hovertemplate=f"%{{y}}<br>iteration %{{x}}<br>{_number(quantity)}<extra></extra>",
        hoverongaps=False,
        meta={"run": None},
    )
    return make_figure(
        theme,
        f"{first.text} − {second.text}: difference of {quantity.name} {quantity.difference}",
        [trace],
        layers=layers,
        iterations=iterations,
        words={**quantity.meta, "x": along.counted, "xscale": "steps"},
        notes=notes,
        xaxis=column_axis(names, iterations, places, along),
        yaxis={
            **layer_axis(layers),
            "categoryarray": [layer.hover for layer in layers],
            "range": [len(layers) - 0.5, -0.5],
        },
        shapes=stage_separators(layers, PALETTES[theme].paper, "y"),
        margin={"l": 64, "r": 8, "t": 8, "b": 44},
    )


def _column_names(
    iterations: Sequence[int], places: Places | None, along: Along, others: Sequence[int] | None
) -> list[str]:
    names = column_names(iterations, places, along)
    if others is None:
        return names
    return [f"{name} − {other}" for name, other in zip(names, others, strict=True)]


def _ends(first: FigureRun, second: FigureRun, theme: Theme) -> tuple[str, str]:
    if hue(first.init) == hue(second.init):
        return PALETTES[theme].ends
    return run_colour(first.id, first.init, theme), run_colour(second.id, second.init, theme)


def _both(shares: tuple[NDArray[np.float64], NDArray[np.float64]], quantity: Quantity) -> NDArray[Any]:
    """Return both runs' numbers for hovers, shares as whole percentages."""
    return packed(*(np.rint(100 * share) if quantity.of_width else share for share in shares))


def _number(quantity: Quantity) -> str:
    if quantity.of_width:
        return "<b>%{z:+.1f} points</b> (%{customdata[0]:.0f} % − %{customdata[1]:.0f} %)"
    return "α <b>%{z:+.3f}</b> (%{customdata[0]:.3f} − %{customdata[1]:.3f})"
