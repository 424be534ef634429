"""Dimensionality of every layer at one iteration, any number of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from frontend.figures.axes import FigureLayer, layer_axis, merged_layers, stage_separators
from frontend.figures.colours import PALETTES, Theme
from frontend.figures.quantity import DIMENSIONS, Quantity
from frontend.figures.runs import FigureRun
from frontend.figures.theme import make_figure


@dataclass(frozen=True)
class DepthSeries:
    """One run's dimensionality of each of its layers, shape (layers,), at `iteration`."""

    run: FigureRun
    iteration: int
    layers: Sequence[FigureLayer]
    values: NDArray[np.floating[Any]]


def dimension_by_depth(
    series: Sequence[DepthSeries],
    largest: float = 1.0,
    theme: Theme = "light",
    quantity: Quantity = DIMENSIONS,
) -> go.Figure:
    """Draw d as a share of each layer's width, or a slope as it is, layers in network order, stage by stage.

    `largest` is the largest number drawn at any iteration, so that nothing moves but the lines while a person scrubs.
    """
    layers = merged_layers([one.layers for one in series])
    return make_figure(
        theme,
        f"{quantity.title.capitalize()}, by depth",
        [_trace(one, theme, quantity) for one in series],
        layers=layers,
        words=quantity.meta,
        xaxis={
            **layer_axis(layers, least=2),
            "range": [-0.5, len(layers) - 0.5],
            "tickangle": 0,
            "title": {"text": "layer, from input to output"},
        },
        yaxis={
            "range": [0, quantity.axis_top(largest, 1.0)],
            "tickformat": ".0%" if quantity.of_width else ".2~f",
            "title": {"text": "share of full width" if quantity.of_width else quantity.axis},
        },
        shapes=stage_separators(layers, PALETTES[theme].line, "x"),
        hovermode="closest",
        showlegend=False,
    )


def _trace(one: DepthSeries, theme: Theme, quantity: Quantity) -> go.Scatter:
    widths = np.array([layer.width for layer in one.layers], dtype=np.float64)
    values = np.asarray(one.values, dtype=np.float64)
    number = "<b>%{y:.0%}</b> of %{customdata[1]:,} channels" if quantity.of_width else "α = <b>%{y:.3~r}</b>"
    return go.Scatter(
        x=[layer.text for layer in one.layers],
        text=[layer.aside for layer in one.layers],
        y=quantity.drawn(values, widths).astype(np.float32),
        mode="lines+markers",
        marker={"size": 4},
        name=one.run.text,
        line=one.run.line(theme, width=1.25),
        customdata=np.stack([values, widths], axis=-1).astype(np.float32),
        hovertemplate=f"%{{x}}%{{text}}<br>{number}<extra>%{{fullData.name}}</extra>",
        meta={"run": one.run.id},
    )
