"""Dimensionality of every layer at one iteration, any number of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from frontend.figures.axes import FigureLayer, layer_axis, log_ticks, merged_layers, stage_separators
from frontend.figures.band import band_traces
from frontend.figures.colours import PALETTES, Theme
from frontend.figures.course import Scale
from frontend.figures.groups import Drawn, FigureGroup
from frontend.figures.quantity import DIMENSIONS, Quantity
from frontend.figures.seeds import Band
from frontend.figures.theme import make_figure


@dataclass(frozen=True)
class DepthSeries:
    """One run's dimensionality of each of its layers, shape (layers,), at `iteration`; or a group's mean.

    A band is of what is drawn: of shares of the layers' widths, or of slopes.
    """

    run: Drawn
    iteration: int
    layers: Sequence[FigureLayer]
    values: NDArray[np.floating[Any]]
    band: Band | None = None


def dimension_by_depth(
    series: Sequence[DepthSeries],
    span: tuple[float, float] = (1e-3, 1.0),
    theme: Theme = "light",
    quantity: Quantity = DIMENSIONS,
    yscale: Scale = "",
    notes: Sequence[str] = (),
) -> go.Figure:
    """Draw d as a share of each layer's width, or a slope as it is, layers in network order, stage by stage.

    `span` are the smallest positive and the largest number drawn at any iteration, so that nothing moves but the lines
    while a person scrubs.
    """
    low = span[0] / 1.2 if yscale == "log" else None
    layers = merged_layers([one.layers for one in series])
    return make_figure(
        theme,
        f"{quantity.title.capitalize()}, by depth",
        [trace for one in series for trace in _traces(one, theme, quantity, low)],
        layers=layers,
        words=quantity.meta,
        notes=notes,
        xaxis={
            **layer_axis(layers, least=2),
            "range": [-0.5, len(layers) - 0.5],
            "tickangle": 0,
            "title": {"text": "layer, from input to output"},
        },
        yaxis=_yaxis(quantity, quantity.axis_top(span[1], 1.0), low),
        shapes=stage_separators(layers, PALETTES[theme].line, "x"),
        hovermode="closest",
        showlegend=any(isinstance(one.run, FigureGroup) for one in series),
    )


def _yaxis(quantity: Quantity, top: float, low: float | None) -> dict[str, Any]:
    """Return the axis of shares or slopes; logarithmic where it begins at `low`."""
    title = {"text": "share of full width" if quantity.of_width else quantity.axis}
    if low is None:
        return {"range": [0, top], "tickformat": ".0%" if quantity.of_width else ".2~f", "title": title}
    high = max(top, 1.5 * low)
    ticks = log_ticks([low, high])
    if quantity.of_width:
        ticks["ticktext"] = [f"{100 * tick:,.10g}%" for tick in ticks["tickvals"]]
    return {"type": "log", "range": [log10(low), log10(high)], "title": title, **ticks}


def _traces(one: DepthSeries, theme: Theme, quantity: Quantity, low: float | None) -> list[go.Scatter]:
    widths = np.array([layer.width for layer in one.layers], dtype=np.float64)
    values = np.asarray(one.values, dtype=np.float64)
    x = [layer.text for layer in one.layers]
    text = "<b>%{y:.1~%}</b> of %{customdata[1]:,} channels" if quantity.of_width else "α = <b>%{y:.3~r}</b>"
    columns = [values, widths]
    if one.band:
        digits = ".1~%" if quantity.of_width else ".3~r"
        text += f"<br>{one.band.words}: %{{customdata[2]:{digits}}} – %{{customdata[3]:{digits}}}"
        columns += [one.band.low, one.band.high]
    drawn = quantity.drawn(values, widths)
    mean = go.Scatter(
        x=x,
        text=[layer.aside for layer in one.layers],
        y=(np.where(drawn > 0, drawn, np.nan) if low else drawn).astype(np.float32),
        mode="lines+markers",
        marker={"size": 4},
        name=one.run.legend,
        line=one.run.line(theme, width=1.25),
        customdata=np.stack(columns, axis=-1).astype(np.float32),
        hovertemplate=(
            f"%{{x}}%{{text}}<br>{text}<br>iteration {one.iteration:,}<extra>%{{fullData.name}}</extra>"
        ),
        meta={**one.run.meta, "iteration": one.iteration},
    )
    return [*band_traces(x, one.band, one.run, theme, floor=low), mean]
