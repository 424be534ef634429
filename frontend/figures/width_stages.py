"""What each part of a network costs before and after a plan: parameters, or MACs of one image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from frontend.figures.colours import PALETTES, Theme
from frontend.figures.labels import label
from frontend.figures.theme import make_figure
from frontend.formats import change

Cost = Literal["parameters", "MACs"]


@dataclass(frozen=True)
class StageCost:
    """A part of the network, and its cost before and after."""

    stage: str
    before: int
    after: int

    @property
    def change(self) -> str:
        """The change in whole percent; empty where nothing was before."""
        return change(self.after / self.before, 0) if self.before else ""


def width_stages(title: str, cost: Cost, stages: Sequence[StageCost], theme: Theme = "light") -> go.Figure:
    """Draw a pair of bars for each stage, input at the top, with the change in percent behind it."""
    palette = PALETTES[theme]
    names = [label(one.stage.removesuffix("_head"), 12) for one in stages]
    largest = max((max(one.before, one.after) for one in stages), default=1)
    before = _bars(names, "before", [one.before for one in stages], cost)
    after = _bars(names, "after", [one.after for one in stages], cost)
    before.update(marker={"color": palette.grid, "line": {"color": palette.muted, "width": 1.25}})
    after.update(marker={"color": palette.components[0]})
    return make_figure(
        theme,
        f"{cost[0].upper()}{cost[1:]} of {label(title)} by stage",
        [before, after],
        xaxis={"range": [0, 1.14 * largest], "tickformat": "~s", "nticks": 6, "title": {"text": cost}},
        yaxis={"type": "category", "showgrid": False, "ticks": "", "autorange": "reversed"},
        annotations=[
            _change(name, one, palette.muted) for name, one in zip(names, stages, strict=True) if one.change
        ],
        barmode="group",
        bargap=0.25,
        bargroupgap=0.05,
        hovermode="y unified",
        showlegend=True,
    )


def _bars(names: Sequence[str], name: str, values: Sequence[int], cost: Cost) -> go.Bar:
    template = f"%{{x:.4~s}} {cost}<extra>{name}</extra>"
    return go.Bar(x=list(values), y=list(names), orientation="h", name=name, hovertemplate=template)


def _change(name: str, one: StageCost, colour: str) -> dict[str, Any]:
    return {
        "x": max(one.before, one.after),
        "y": name,
        "text": one.change,
        "showarrow": False,
        "xanchor": "left",
        "xshift": 3,
        "font": {"size": 11, "color": colour},
    }
