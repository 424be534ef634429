"""Intrinsic dimensionality by layer and iteration, one run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from frontend.figures.along import BY_ITERATION, Along
from frontend.figures.axes import FigureLayer, layer_axis, stage_separators
from frontend.figures.colours import PALETTES, Theme
from frontend.figures.course import Places
from frontend.figures.packing import packed
from frontend.figures.quantity import DIMENSIONS, Quantity
from frontend.figures.runs import FigureRun
from frontend.figures.snapshots import column_axis, column_names
from frontend.figures.theme import make_figure


def heatmap(
    run: FigureRun,
    layers: Sequence[FigureLayer],
    iterations: Sequence[int],
    dimensions: NDArray[np.float64],
    theme: Theme = "light",
    quantity: Quantity = DIMENSIONS,
    along: Along = BY_ITERATION,
    places: Places | None = None,
    notes: Sequence[str] = (),
) -> go.Figure:
    """Draw `dimensions` (layers x iterations, NaN where missing) as shares of each layer's full width, slopes as such.

    Layers run down in network order with a line between stages; snapshots are equal steps, labelled by iteration or
    by their `places`. The colour scale is viridis from 0 to the full width, of slopes from 0 to 4, whatever the data,
    so that figures can be laid side by side.
    """
    widths = np.array([layer.width for layer in layers], dtype=np.float64).reshape(-1, 1)
    names = column_names(iterations, places, along)
    values = np.asarray(dimensions, dtype=np.float64).reshape(len(layers), len(iterations))
    trace = go.Heatmap(
        x=names,
        y=[layer.hover for layer in layers],
        z=quantity.drawn(values, widths).astype(np.float32),
        customdata=packed(values, np.broadcast_to(widths, values.shape)),
        **quantity.colours,
        hovertemplate=f"%{{y}}<br>iteration %{{x}}<br>{_number(quantity)}<extra></extra>",
        hoverongaps=False,
        meta={"run": run.id},
    )
    return make_figure(
        theme,
        f"{run.text}: {quantity.title}",
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


def _number(quantity: Quantity) -> str:
    if quantity.of_width:
        return "<b>%{customdata[0]:,.4~r}</b> of %{customdata[1]:,} channels (%{z:.0%})"
    return "α = <b>%{z:.3~r}</b>"
