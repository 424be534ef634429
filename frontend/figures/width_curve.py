"""What is left of a network as the threshold of its plan moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

import numpy as np
import plotly.graph_objects as go

from backend.spectra.criteria import CRITERIA
from frontend.figures.axes import log_ticks
from frontend.figures.colours import PALETTES, Palette, Theme
from frontend.figures.theme import MARGIN, make_figure
from frontend.formats import scientific


@dataclass(frozen=True)
class Kept:
    """Shares of the original's backbone parameters, parameters and MACs; None where no plan is possible."""

    threshold: float
    backbone: float | None
    parameters: float | None
    macs: float | None


def left_out(criterion: str) -> bool:
    """Whether the axis shows what a share leaves out: of 0.99, 0.999, … the decades are in the rest."""
    info = CRITERIA[criterion]
    return info.fraction and info.default_threshold is not None and info.default_threshold > 0.5


def position(criterion: str, threshold: float) -> float:
    """Return where a threshold lies on the (logarithmic) axis."""
    return 1 - threshold if left_out(criterion) else threshold


def width_curve(
    criterion: str, points: Sequence[Kept], now: Kept | None, paper: float, theme: Theme = "light"
) -> go.Figure:
    """Draw the shares kept against the threshold, with the present plan and the paper's share of the backbone marked.

    `now` is None where the present threshold gives no plan.
    """
    palette = PALETTES[theme]
    lines = [
        _line(criterion, points, "backbone", "backbone", palette.components[0], "solid"),
        _line(criterion, points, "parameters", "parameters", palette.components[0], "dot"),
        _line(criterion, points, "MACs", "macs", palette.components[3], "solid"),
    ]
    drawn = [value for line in lines for value in line.y if value is not None]
    low, high = min([*drawn, paper]), max([*drawn, 1.0])
    return make_figure(
        theme,
        "What is kept, by threshold",
        [*lines, _now(criterion, now, palette)] if drawn else [],
        words={"empty": _why_empty(criterion)},
        xaxis=_threshold_axis(criterion, points),
        yaxis={
            "range": [max(0.0, low - 0.08), high + 0.05],
            "tickformat": ".0%",
            "title": {"text": "share of the original's"},
        },
        shapes=[_paper_line(paper, palette)],
        annotations=[_paper_words(paper, palette)],
        margin={**MARGIN, "r": 48},
        hovermode="closest",
        showlegend=True,
    )


def _line(criterion: str, points: Sequence[Kept], name: str, part: str, colour: str, dash: str) -> go.Scatter:
    return go.Scatter(
        x=[position(criterion, one.threshold) for one in points],
        y=[getattr(one, part) for one in points],
        customdata=[one.threshold for one in points],
        mode="lines",
        name=name,
        line={"color": colour, "dash": dash, "width": 1.75},
        connectgaps=False,
        hovertemplate="τ = %{customdata:.3~g}<br><b>%{y:.1%}</b><extra>%{fullData.name}</extra>",
    )


def _now(criterion: str, now: Kept | None, palette: Palette) -> go.Scatter:
    kept = [] if now is None else [now.backbone, now.parameters, now.macs]
    return go.Scatter(
        x=[] if now is None else [position(criterion, now.threshold)] * len(kept),
        y=kept,
        mode="markers",
        name="this plan",
        showlegend=False,
        marker={"color": palette.ink, "size": 8, "line": {"color": palette.paper, "width": 1.5}},
        hovertemplate="this plan<br><b>%{y:.1%}</b><extra></extra>",
        meta={"part": "now"},
    )


def _threshold_axis(criterion: str, points: Sequence[Kept]) -> dict[str, Any]:
    places = [position(criterion, one.threshold) for one in points]
    if not places:
        return {"type": "log", "title": {"text": "threshold τ"}}
    low, high = min(places), max(places)
    ends = [float(np.log10(low)) - 0.05, float(np.log10(high)) + 0.05]
    axis: dict[str, Any] = {"type": "log", "title": {"text": "threshold τ"}, "range": ends}
    if left_out(criterion):
        decades = [10.0**power for power in range(floor(log10(low)), ceil(log10(high)))]
        ticks = [0.5, *decades]
        return axis | {
            "range": ends[::-1],
            "title": {"text": "share s of the trace"},
            "tickmode": "array",
            "tickvals": ticks,
            "ticktext": [f"{1 - tick:.10g}" for tick in ticks],
        }
    ticks = log_ticks(places)["tickvals"]
    return axis | {
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": [scientific(tick) for tick in ticks],
    }


def _paper_line(paper: float, palette: Palette) -> dict[str, Any]:
    line = {"color": palette.muted, "width": 1, "dash": "dash"}
    return {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": paper, "y1": paper, "line": line}


def _paper_words(paper: float, palette: Palette) -> dict[str, Any]:
    return {
        "xref": "x domain",
        "x": 1,
        "xanchor": "left",
        "xshift": 4,
        "y": paper,
        "align": "left",
        "text": f"paper<br>{100 * paper:.0f} %",
        "showarrow": False,
        "font": {"size": 11, "color": palette.muted},
    }


def _why_empty(criterion: str) -> str:
    if CRITERIA[criterion].default_threshold is None:
        return "This criterion has no threshold to move."
    return "No threshold gives a plan under these settings."
