"""Several figures on one sheet: each keeps its own axes, moved to its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from frontend.figures.colours import PALETTES, Theme


@dataclass
class Grid:
    """Figures row by row, from the top: a paper is read downwards.

    `gap_x` and `gap_y` lie between neighbours, as shares of the whole. `traces` and `layout` are what has been put.
    """

    columns: int
    rows: int
    gap_x: float
    gap_y: float
    theme: Theme
    caption_size: int = 12
    traces: list[dict[str, Any]] = field(default_factory=list)
    layout: dict[str, Any] = field(default_factory=lambda: {"shapes": [], "annotations": []})
    placed: int = 0

    def put(self, caption: str, traces: Sequence[dict[str, Any]], layout: dict[str, Any]) -> None:
        """Put a figure under its caption (plotly text); of its layout only axes, shapes and annotations are taken."""
        column, row = self.placed % self.columns, self.placed // self.columns
        number = "" if self.placed == 0 else str(self.placed + 1)
        domains = {
            "x": _domain(column, self.columns, self.gap_x),
            "y": _domain(self.rows - 1 - row, self.rows, self.gap_y),
        }
        self.traces += [{**trace, "xaxis": f"x{number}", "yaxis": f"y{number}"} for trace in traces]
        _take(self.layout, layout, number, domains)
        self.layout["annotations"].append(_caption(caption, number, self.theme, self.caption_size))
        self.placed += 1

    def name_each_run_once(self) -> None:
        """Let every name stand in the legend at its first trace alone."""
        named = set()
        for trace in self.traces:
            name = trace.get("name")
            trace["showlegend"] = name is not None and name not in named and trace.get("type") != "heatmap"
            trace["legendgroup"] = name
            named.add(name)


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


def _caption(text: str, number: str, theme: Theme, size: int) -> dict[str, Any]:
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
        "font": {"size": size, "color": PALETTES[theme].ink},
    }
