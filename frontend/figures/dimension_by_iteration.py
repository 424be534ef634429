"""One layer's dimensionality over training, any number of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from frontend.figures.along import BY_ITERATION, Along, Axis, Points, snapshot_axis
from frontend.figures.axes import log_ticks, union_of_iterations
from frontend.figures.band import band_traces
from frontend.figures.colours import Theme
from frontend.figures.course import Places, Scale
from frontend.figures.groups import Drawn, FigureGroup
from frontend.figures.labels import label
from frontend.figures.quantity import DIMENSIONS, Quantity
from frontend.figures.seeds import Band
from frontend.figures.theme import make_figure


@dataclass(frozen=True)
class DimensionSeries:
    """One run's dimensionality of one layer, shape (iterations,), and the layer's width there; or a group's mean.

    `places` are where the iterations lie on the axis, the iterations themselves where it is None.
    """

    run: Drawn
    iterations: Sequence[int]
    values: NDArray[np.floating[Any]]
    width: int
    places: Places | None = None
    band: Band | None = None

    @property
    def points(self) -> Points:
        """Where the line has points."""
        at = np.asarray(self.iterations, dtype=np.int32)
        return Points(at, at.astype(np.float64) if self.places is None else self.places)


def dimension_by_iteration(
    layer: str,
    series: Sequence[DimensionSeries],
    theme: Theme = "light",
    quantity: Quantity = DIMENSIONS,
    along: Along = BY_ITERATION,
    yscale: Scale = "",
    notes: Sequence[str] = (),
) -> go.Figure:
    """Draw d, or a slope, along training: in iterations with equal steps between snapshots, unless told otherwise."""
    widest = max((one.width for one in series), default=1)
    largest = max((_largest(one) for one in series), default=0.0)
    axis = snapshot_axis([one.points for one in series], along)
    traces = [
        trace
        for number, one in enumerate(series)
        for trace in series_traces(one, axis, number, theme, quantity, yscale)
    ]
    yaxis: dict[str, Any] = {"title": {"text": quantity.axis}, "type": yscale or "linear"}
    if yscale == "log":
        yaxis |= _log_range(series, quantity.axis_top(largest, widest))
    else:
        yaxis |= {
            "range": [0, quantity.axis_top(largest, widest)],
            "tickformat": ",~r" if quantity.of_width else ".2~f",
        }
    return make_figure(
        theme,
        f"{quantity.name.capitalize()} of {label(layer)}",
        traces,
        iterations=union_of_iterations([one.iterations for one in series]),
        words={**quantity.meta, **axis.meta},
        notes=notes,
        xaxis=axis.layout,
        yaxis=yaxis,
        hovermode="closest",
        showlegend=any(isinstance(one.run, FigureGroup) for one in series),
    )


def series_traces(
    one: DimensionSeries, axis: Axis, number: int, theme: Theme, quantity: Quantity, yscale: Scale
) -> list[go.Scatter]:
    """Return what is drawn of one line, the axis\' of that number."""
    values = np.asarray(one.values, dtype=np.float64)
    digits = ",.4~r" if quantity.of_width else ".3~r"
    text = (
        f"<b>%{{y:{digits}}}</b> of %{{customdata[2]:,}}"
        if quantity.of_width
        else f"α = <b>%{{y:{digits}}}</b>"
    )
    columns = [axis.data[number], np.full((len(values), 1), one.width, dtype=np.float32)]
    if one.band:
        columns.append(np.stack([one.band.low, one.band.high], axis=-1).astype(np.float32))
        text += f" ({one.band.words}: %{{customdata[3]:{digits}}} – %{{customdata[4]:{digits}}})"
    x = axis.xs[number]
    mean = go.Scatter(
        x=x,
        y=_drawable(values, yscale).astype(np.float32),
        mode="lines+markers",
        marker={"size": 4},
        name=one.run.legend,
        line=one.run.line(theme),
        customdata=np.concatenate(columns, axis=-1),
        hovertemplate=f"{axis.hover}<br>{text}<extra>%{{fullData.name}}</extra>",
        meta={**one.run.meta, "iterations": [int(iteration) for iteration in one.iterations]},
    )
    return [*band_traces(x, one.band, one.run, theme, floor=_floor(values, yscale)), mean]


def _drawable(values: NDArray[np.float64], yscale: Scale) -> NDArray[np.float64]:
    """Return the values without those that a logarithmic axis has no place for."""
    return np.where(values > 0, values, np.nan) if yscale == "log" else values


def _floor(values: NDArray[np.float64], yscale: Scale) -> float | None:
    if yscale != "log":
        return None
    return float(np.min(values[values > 0], initial=1.0)) / 2


def _log_range(series: Sequence[DimensionSeries], top: float) -> dict[str, Any]:
    """Return a logarithmic axis that holds all that is drawn."""
    positive = [float(value) for one in series for value in one.values if value > 0]
    low = min(positive, default=1.0) / 1.2
    return {"range": [log10(low), log10(max(top, 1.5 * low))], **log_ticks([low, top])}


def _largest(one: DimensionSeries) -> float:
    values = np.asarray(one.values if one.band is None else one.band.high)
    return float(np.nanmax(values)) if np.isfinite(values).any() else 0.0
