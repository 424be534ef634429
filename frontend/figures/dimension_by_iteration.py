"""One layer's dimensionality over training, any number of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from frontend.figures.axes import iteration_axis, union_of_iterations
from frontend.figures.colours import Theme
from frontend.figures.labels import label
from frontend.figures.quantity import DIMENSIONS, Quantity
from frontend.figures.runs import FigureRun
from frontend.figures.theme import make_figure


@dataclass(frozen=True)
class DimensionSeries:
    """One run's dimensionality of one layer, shape (iterations,), and the layer's width there."""

    run: FigureRun
    iterations: Sequence[int]
    values: NDArray[np.floating[Any]]
    width: int


def dimension_by_iteration(
    layer: str,
    series: Sequence[DimensionSeries],
    theme: Theme = "light",
    quantity: Quantity = DIMENSIONS,
) -> go.Figure:
    """Draw d, or a slope, against iteration (equal steps between snapshots)."""
    widest = max((one.width for one in series), default=1)
    number = "<b>%{y:,.4~r}</b> of %{customdata:,}" if quantity.of_width else "α = <b>%{y:.3~r}</b>"
    largest = max((_largest(one.values) for one in series), default=0.0)
    traces = [
        go.Scatter(
            x=[str(iteration) for iteration in one.iterations],
            y=np.asarray(one.values, dtype=np.float32),
            mode="lines+markers",
            marker={"size": 4},
            name=one.run.text,
            line=one.run.line(theme),
            customdata=np.full(len(one.iterations), one.width, dtype=np.int32),
            hovertemplate=f"iteration %{{x}}<br>{number}<extra>%{{fullData.name}}</extra>",
            meta={"run": one.run.id},
        )
        for one in series
    ]
    iterations = union_of_iterations([one.iterations for one in series])
    return make_figure(
        theme,
        f"{quantity.name.capitalize()} of {label(layer)}",
        traces,
        iterations=iterations,
        words=quantity.meta,
        xaxis=iteration_axis(iterations),
        yaxis={
            "range": [0, quantity.axis_top(largest, widest)],
            "title": {"text": quantity.axis},
            "tickformat": ",d" if quantity.of_width else ".2~f",
        },
        hovermode="closest",
        showlegend=False,
    )


def _largest(values: NDArray[np.floating[Any]]) -> float:
    return float(np.nanmax(values)) if np.isfinite(values).any() else 0.0
