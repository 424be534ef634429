"""Where two runs' dimensionalities part, by layer and iteration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from frontend.figures.axes import FigureLayer, iteration_axis, layer_axis, stage_separators
from frontend.figures.colours import PALETTES, Theme, run_colour
from frontend.figures.labels import label
from frontend.figures.runs import FigureRun
from frontend.figures.theme import make_figure

SMALLEST_SCALE = 0.05
"""The scale ends at no less than 5 points, so that noise between equal runs does not look like a finding."""


def heatmap_difference(
    first: FigureRun,
    second: FigureRun,
    layers: Sequence[FigureLayer],
    iterations: Sequence[int],
    shares: tuple[NDArray[np.float64], NDArray[np.float64]],
    theme: Theme = "light",
) -> go.Figure:
    """Draw the first run's share of the full width minus the second's, in points, over what both have.

    `shares` are two arrays (layers x iterations) of dimensionality over width, NaN where missing. The scale
    is centred at zero and ends in each run's own colour: a cell has the colour of the run that is higher.
    """
    difference = np.asarray(shares[0], dtype=np.float64) - np.asarray(shares[1], dtype=np.float64)
    finite = np.abs(difference[np.isfinite(difference)])
    end = max(SMALLEST_SCALE, float(finite.max()) if finite.size else 0.0)
    low, high = (run_colour(run.id, run.init, theme) for run in (second, first))
    trace = go.Heatmap(
        x=[str(iteration) for iteration in iterations],
        y=[label(layer.name) for layer in layers],
        z=(100 * difference).astype(np.float32),
        customdata=np.stack([100 * shares[0], 100 * shares[1]], axis=-1).astype(np.float32),
        zmin=-100 * end,
        zmid=0,
        zmax=100 * end,
        colorscale=[[0, low], [0.5, PALETTES[theme].neutral], [1, high]],
        colorbar={"thickness": 8, "outlinewidth": 0, "ticks": "", "nticks": 5, "len": 1, "y": 0.5, "xpad": 6},
        hovertemplate=(
            "%{y}<br>iteration %{x}<br><b>%{z:+.1f} points</b> "
            "(%{customdata[0]:.0f} % − %{customdata[1]:.0f} %)<extra></extra>"
        ),
        hoverongaps=False,
        meta={"run": None},
    )
    return make_figure(
        theme,
        f"{first.text} − {second.text}: difference of dimensionality in points of the width",
        [trace],
        layers=layers,
        iterations=iterations,
        xaxis={**iteration_axis(iterations), "showgrid": False},
        yaxis={**layer_axis(layers), "range": [len(layers) - 0.5, -0.5]},
        shapes=stage_separators(layers, PALETTES[theme].paper, "y"),
        margin={"l": 64, "r": 8, "t": 8, "b": 44},
    )
