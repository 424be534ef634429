"""Intrinsic dimensionality by layer and iteration, one run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from frontend.figures.axes import FigureLayer, iteration_axis, layer_axis, stage_separators
from frontend.figures.colours import PALETTES, Theme
from frontend.figures.labels import label
from frontend.figures.runs import FigureRun
from frontend.figures.theme import make_figure


def heatmap(
    run: FigureRun,
    layers: Sequence[FigureLayer],
    iterations: Sequence[int],
    dimensions: NDArray[np.float64],
    theme: Theme = "light",
) -> go.Figure:
    """Draw `dimensions` (layers x iterations, NaN where missing) as shares of each layer's full width.

    Layers run down in network order with a line between stages; iterations are equal steps. The colour scale
    is viridis from 0 to the full width, whatever the data, so that figures can be laid side by side.
    """
    widths = np.array([layer.width for layer in layers], dtype=np.float64).reshape(-1, 1)
    values = np.asarray(dimensions, dtype=np.float64).reshape(len(layers), len(iterations))
    trace = go.Heatmap(
        x=[str(iteration) for iteration in iterations],
        y=[label(layer.name) for layer in layers],
        z=(values / widths).astype(np.float32),
        customdata=np.stack([values, np.broadcast_to(widths, values.shape)], axis=-1).astype(np.float32),
        zmin=0,
        zmax=1,
        colorscale="Viridis",
        colorbar={
            "thickness": 8,
            "outlinewidth": 0,
            "tickformat": ".0%",
            "tickvals": [0, 0.5, 1],
            "ticks": "",
            "len": 1,
            "y": 0.5,
            "xpad": 6,
        },
        hovertemplate="%{y}<br>iteration %{x}<br><b>%{customdata[0]:,.4~r}</b> of "
        "%{customdata[1]:,} (%{z:.0%})<extra></extra>",
        hoverongaps=False,
        meta={"run": run.id},
    )
    return make_figure(
        theme,
        f"{run.text}: intrinsic dimensionality as a share of the layer's width",
        [trace],
        layers=layers,
        iterations=iterations,
        xaxis={**iteration_axis(iterations), "showgrid": False},
        yaxis={**layer_axis(layers), "range": [len(layers) - 0.5, -0.5]},
        shapes=stage_separators(layers, PALETTES[theme].paper, "y"),
        margin={"l": 64, "r": 8, "t": 8, "b": 44},
    )
