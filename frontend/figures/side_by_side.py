"""Several figures in one, each with axes of its own: what goes into a paper or a notebook in one piece."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from frontend.figures.colours import PALETTES, Theme
from frontend.figures.theme import make_figure

COLUMNS = 2
GAP = {"x": 0.12, "y": 0.2}
"""Between neighbours, as shares of the whole: room for an axis' title, and below for the next caption too."""


def side_by_side(title: str, figures: Mapping[str, go.Figure], theme: Theme = "light") -> go.Figure:
    """Draw figures row by row, each under its caption (plotly text); a run stands in the legend once."""
    traces: list[dict[str, Any]] = []
    # Of each figure's layout its axes, shapes and annotations are taken; the rest has one owner.
    layout: dict[str, Any] = {"shapes": [], "annotations": []}
    rows = -(-len(figures) // COLUMNS)
    for place, (caption, figure) in enumerate(figures.items()):
        column, row = place % COLUMNS, place // COLUMNS
        number = "" if place == 0 else str(place + 1)
        # From the top: a paper is read downwards.
        domains = {"x": _domain(column, COLUMNS, GAP["x"]), "y": _domain(rows - 1 - row, rows, GAP["y"])}
        traces += [
            {**trace.to_plotly_json(), "xaxis": f"x{number}", "yaxis": f"y{number}"} for trace in figure.data
        ]
        _take(layout, figure.layout.to_plotly_json(), number, domains)
        layout["annotations"].append(_caption(caption, number, theme))
    _name_each_run_once(traces)
    return make_figure(
        theme,
        title,
        traces,
        **layout,
        margin={"l": 60, "r": 16, "t": 52, "b": 44},
        legend={"y": 1.09, "tracegroupgap": 0},
        hovermode="closest",
        showlegend=True,
    )


def _domain(place: int, count: int, gap: float) -> list[float]:
    size = (1 - gap * (count - 1)) / count
    start = place * (size + gap)
    return [start, min(1.0, start + size)]


def _take(whole: dict[str, Any], part: dict[str, Any], number: str, domains: dict[str, list[float]]) -> None:
    for letter, other in (("x", "y"), ("y", "x")):
        axis = {**part.get(f"{letter}axis", {}), "domain": domains[letter], "anchor": f"{other}{number}"}
        whole[f"{letter}axis{number}"] = axis
    for kind in ("shapes", "annotations"):
        whole[kind] += [_moved(one, number) for one in part.get(kind, ())]


def _moved(one: dict[str, Any], number: str) -> dict[str, Any]:
    """Return a shape or annotation that refers to the axes of this number."""
    moved = dict(one)
    for letter in ("x", "y"):
        reference = str(one.get(f"{letter}ref", letter))
        if reference.partition(" ")[0] == letter:
            moved[f"{letter}ref"] = f"{letter}{number}{reference[1:]}"
    return moved


def _caption(text: str, number: str, theme: Theme) -> dict[str, Any]:
    return {
        "text": f"<b>{text}</b>",
        "xref": f"x{number} domain",
        "yref": f"y{number} domain",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 4,
        "showarrow": False,
        "font": {"size": 12, "color": PALETTES[theme].ink},
    }


def _name_each_run_once(traces: Sequence[dict[str, Any]]) -> None:
    named = set()
    for trace in traces:
        name = trace.get("name")
        trace["showlegend"] = name is not None and name not in named and trace.get("type") != "heatmap"
        trace["legendgroup"] = name
        named.add(name)
