"""One look for all figures, light and dark, as plotly templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

import plotly.graph_objects as go

from frontend.figures.axes import FigureLayer
from frontend.figures.colours import PALETTES, Theme

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif'
MARGIN = {"l": 60, "r": 16, "t": 8, "b": 44}


@cache
def template(theme: Theme) -> go.layout.Template:
    """Return the template that every figure of this theme carries."""
    palette = PALETTES[theme]
    axis = {
        "gridcolor": palette.grid,
        "linecolor": palette.line,
        "showline": True,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": palette.line,
        "zeroline": False,
        "tickfont": {"color": palette.muted, "size": 11},
        "title": {"font": {"color": palette.muted, "size": 12}, "standoff": 8},
    }
    return go.layout.Template(
        layout={
            "paper_bgcolor": palette.paper,
            "plot_bgcolor": palette.paper,
            "font": {"family": FONT, "size": 12, "color": palette.ink},
            "colorway": list(palette.components),
            "xaxis": axis,
            "yaxis": axis,
            "margin": MARGIN,
            "hoverlabel": {
                "bgcolor": palette.paper,
                "bordercolor": palette.line,
                "font": {"family": FONT, "size": 12, "color": palette.ink},
                "align": "left",
            },
            "legend": {
                "orientation": "h",
                "x": 0,
                "y": 1.02,
                "yanchor": "bottom",
                "font": {"size": 11, "color": palette.muted},
                "itemwidth": 30,
            },
            "title": {"font": {"size": 14}, "x": 0.01, "xanchor": "left"},
        }
    )


def make_figure(
    theme: Theme,
    title: str,
    traces: Sequence[Any],
    *,
    layers: Sequence[FigureLayer] = (),
    names: Sequence[str] = (),
    iterations: Sequence[int] = (),
    words: Mapping[str, str] = MappingProxyType({}),
    notes: Sequence[str] = (),
    **layout: Any,
) -> go.Figure:
    """Return a figure in the house look.

    `layout.meta` holds what a page needs beside the picture: the title (the caption shows it, an exported
    picture draws it), the raw `names` (of layers, or bins) and iterations behind category axes, `words` of a
    `Quantity`, and `notes`: sentences as plain text on what is drawn. Where nothing is drawn the page says these.
    """
    raw = [*(layer.name for layer in layers), *names]
    meta: dict[str, Any] = {"title": title, "layers": raw, "iterations": list(iterations), **words}
    if notes:
        meta["notes"] = list(notes)
        if not traces:
            meta["empty"] = " ".join(notes)
    given = {"template": template(theme), "meta": meta, "dragmode": False, **layout}
    # In one piece: updating a figure's layout afterwards costs as much again as making it. Unvalidated, in two thirds
    # of the time: its traces were validated when they were made, and tests validate the whole of each figure.
    return go.Figure(data=list(traces), layout=given, _validate=False)
