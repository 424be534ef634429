"""Several figures in one, each with axes of its own: what goes into a paper or a notebook in one piece."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from frontend.figures.colours import Theme
from frontend.figures.grid import Grid
from frontend.figures.theme import make_figure

COLUMNS = 2
GAP = {"x": 0.12, "y": 0.2}
"""Between neighbours, as shares of the whole: room for an axis' title, and below for the next caption too."""


def side_by_side(title: str, figures: Mapping[str, go.Figure], theme: Theme = "light") -> go.Figure:
    """Draw figures row by row, each under its caption (plotly text); a run stands in the legend once."""
    grid = Grid(COLUMNS, -(-len(figures) // COLUMNS), GAP["x"], GAP["y"], theme)
    for caption, figure in figures.items():
        traces = [trace.to_plotly_json() for trace in figure.data]
        grid.put(caption, traces, figure.layout.to_plotly_json())
    grid.name_each_run_once()
    return make_figure(
        theme,
        title,
        grid.traces,
        **grid.layout,
        margin={"l": 60, "r": 16, "t": 52, "b": 44},
        legend={"y": 1.09, "tracegroupgap": 0},
        hovermode="closest",
        showlegend=True,
    )
