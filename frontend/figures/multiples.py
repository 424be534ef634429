"""Several layers beside each other, each in a small panel, all on the same axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from frontend.figures.axes import FigureLayer
from frontend.figures.colours import PALETTES, Theme
from frontend.figures.grid import Grid
from frontend.figures.theme import make_figure

Shown = Literal["spectrum", "dimension"]

COLUMNS = 4
PANEL = (192, 128)
BETWEEN = (48, 48)
"""Pixels of a panel, and of the room between two for ticks and a caption."""
MARGIN = {"l": 64, "r": 16, "b": 48}
LETTER, LEGEND_ROW, KEY = 6, 20, 48
"""Pixels: of a letter in the legend, a row of it, and the stroke beside a name."""
FINE = {"line": 1.25, "marker": 5}


@dataclass(frozen=True)
class Panel:
    """A layer: what is drawn of it, and its own axes and shapes as plotly's layout has them."""

    layer: FigureLayer
    traces: Sequence[go.Scatter]
    x: Mapping[str, Any]
    y: Mapping[str, Any]
    shapes: Sequence[Mapping[str, Any]] = ()


def multiples(
    title: str,
    panels: Sequence[Panel],
    titles: tuple[str, str],
    theme: Theme = "light",
    words: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
) -> go.Figure:
    """Draw one panel for each layer, row by row in the order given, with the axes' `titles` once.

    The figure has a size of its own, in pixels: as many rows as it takes. A run stands in the legend
    once. Every trace's `meta` has its layer's
    place among those of the figure, and its width.
    """
    columns = max(1, min(COLUMNS, len(panels)))
    rows = max(1, -(-len(panels) // columns))
    across = columns * PANEL[0] + (columns - 1) * BETWEEN[0]
    down = rows * PANEL[1] + (rows - 1) * BETWEEN[1]
    grid = Grid(columns, rows, BETWEEN[0] / across, BETWEEN[1] / down, theme, caption_size=11)
    for place, one in enumerate(panels):
        axes = {
            f"{letter}axis": {**axis, "title": {"text": ""}} for letter, axis in (("x", one.x), ("y", one.y))
        }
        grid.put(
            one.layer.hover,
            [_fine(trace, place, one.layer.width) for trace in one.traces],
            {**axes, "shapes": one.shapes},
        )
    grid.name_each_run_once()
    names = {trace["name"] for trace in grid.traces if trace.get("name")}
    top = 32 + LEGEND_ROW * -(-sum(KEY + LETTER * len(name) for name in names) // across)
    grid.layout["annotations"] += _titles(titles, theme)
    return make_figure(
        theme,
        title,
        grid.traces,
        names=[one.layer.name for one in panels],
        words=words or {},
        notes=notes,
        **grid.layout,
        width=MARGIN["l"] + across + MARGIN["r"],
        height=top + down + MARGIN["b"],
        margin={**MARGIN, "t": top},
        legend={"y": 1 + 24 / down, "tracegroupgap": 0},
        hovermode="closest",
        showlegend=len(names) > 0,
    )


def _fine(trace: Any, place: int, width: int) -> dict[str, Any]:
    """Return a trace thin enough for a panel."""
    drawn: dict[str, Any] = trace.to_plotly_json()
    drawn["meta"] = {**drawn.get("meta", {}), "layer": place, "width": width}
    if drawn.get("line", {}).get("width", 0) > FINE["line"]:
        drawn["line"] = {**drawn["line"], "width": FINE["line"]}
    if "markers" in drawn.get("mode", ""):
        drawn["marker"] = {
            **drawn.get("marker", {}),
            "size": FINE["marker"] if drawn["mode"] == "markers" else 2,
        }
    return drawn


def _titles(titles: tuple[str, str], theme: Theme) -> list[dict[str, Any]]:
    font = {"size": 12, "color": PALETTES[theme].muted}
    shared = {"xref": "paper", "yref": "paper", "showarrow": False, "font": font}
    return [
        {**shared, "text": titles[0], "x": 0.5, "y": 0, "yanchor": "top", "yshift": -24},
        {**shared, "text": titles[1], "x": 0, "y": 0.5, "xanchor": "right", "textangle": -90, "xshift": -44},
    ]
