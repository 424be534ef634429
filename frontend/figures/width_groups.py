"""Widths before and after a plan, group by group in network order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log2
from typing import Any

import numpy as np
import plotly.graph_objects as go

from frontend.figures.axes import FigureLayer, layer_axis, stage_separators
from frontend.figures.colours import PALETTES, Theme
from frontend.figures.labels import label
from frontend.figures.theme import make_figure

NAMED = 3
"""The maps that a hover names of those that speak for a group."""


@dataclass(frozen=True)
class GroupWidths:
    """A width group: what its maps said, and its channels before and after."""

    group: str
    maps: Sequence[str]
    dimensionality: float
    positions_per_channel: float
    before: int
    after: int

    @property
    def change(self) -> float:
        """The change in percent."""
        return 100 * (self.after / self.before - 1)


def width_groups(title: str, groups: Sequence[GroupWidths], theme: Theme = "light") -> go.Figure:
    """Draw each group's width before (ring) and after (dot), and its dimensionality (dash), on a log axis.

    On a log axis the line between ring and dot has one length for one ratio, whatever the width: a halved inside of
    64 channels shows as well as a halved output of 2,048.
    """
    palette = PALETTES[theme]
    layers = [FigureLayer(one.group, one.group.partition(".")[0], one.before) for one in groups]
    numbers = [(one.dimensionality, one.before, one.after) for one in groups]
    return make_figure(
        theme,
        f"Widths of {label(title)} before and after",
        [
            _points(groups, "dimensionality", [one.dimensionality for one in groups], _dash(palette.ink)),
            _points(groups, "width before", [one.before for one in groups], _ring(palette.muted)),
            _points(groups, "width after", [one.after for one in groups], _dot(palette.components[0])),
        ],
        layers=layers,
        xaxis={
            **layer_axis(layers, least=2),
            "range": [-0.7, len(layers) - 0.3],
            "tickangle": 0,
            "title": {"text": "width group, from input to output"},
        },
        yaxis={"type": "log", "title": {"text": "channels"}, **_powers_of_two(numbers)},
        shapes=[
            *stage_separators(layers, palette.line, "x"),
            *(_step(place, one, palette.components[0]) for place, one in enumerate(groups)),
        ],
        hovermode="closest",
        hoverdistance=40,
        showlegend=True,
    )


def _points(
    groups: Sequence[GroupWidths], name: str, values: Sequence[float], marker: dict[str, Any]
) -> go.Scatter:
    told = np.array(
        [
            [one.before, one.after, one.change, one.dimensionality, one.positions_per_channel]
            for one in groups
        ],
        np.float64,
    ).reshape(-1, 5)
    return go.Scatter(
        x=[label(one.group) for one in groups],
        y=np.asarray(values, np.float32),
        mode="markers",
        name=name,
        marker=marker,
        text=[_maps(one) for one in groups],
        customdata=told,
        hovertemplate=(
            "<b>%{x}</b><br>%{customdata[0]:,} → <b>%{customdata[1]:,}</b> channels (%{customdata[2]:+.0f} %)<br>"
            "d = %{customdata[3]:,.4~r} of %{text}<br>%{customdata[4]:,.3~r} positions per channel<extra></extra>"
        ),
    )


def _maps(one: GroupWidths) -> str:
    shown = ", ".join(label(name) for name in one.maps[:NAMED])
    more = len(one.maps) - NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def _ring(colour: str) -> dict[str, Any]:
    return {"symbol": "circle-open", "size": 8, "color": colour, "line": {"width": 1.5}}


def _dot(colour: str) -> dict[str, Any]:
    return {"symbol": "circle", "size": 8, "color": colour}


def _dash(colour: str) -> dict[str, Any]:
    return {"symbol": "line-ew-open", "size": 9, "color": colour, "line": {"width": 1.5}}


def _step(place: int, one: GroupWidths, colour: str) -> dict[str, Any]:
    line = {"color": colour, "width": 2}
    ends = {"x0": place, "x1": place, "y0": one.before, "y1": one.after}
    return {"type": "line", "xref": "x", "yref": "y", "layer": "below", "line": line, **ends}


def _powers_of_two(numbers: Sequence[tuple[float, ...]]) -> dict[str, Any]:
    drawn = [number for row in numbers for number in row if number > 0]
    if not drawn:
        return {}
    low, high = floor(log2(min(drawn))), ceil(log2(max(drawn)))
    ticks = [2.0**power for power in range(low, high + 1)]
    return {
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": [f"{tick:,g}" for tick in ticks],
        "range": [float(np.log10(ticks[0])) - 0.08, float(np.log10(ticks[-1])) + 0.08],
    }
