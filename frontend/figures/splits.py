"""Bars of the training split with the validation split as a line over them, bin by bin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from frontend.figures.colours import PALETTES, Theme
from frontend.figures.theme import make_figure

SPLITS = {"train": "training", "val": "validation"}


def split_colour(split: str, theme: Theme) -> str:
    """Return a split's colour; blue, orange and grey are left to runs."""
    return PALETTES[theme].components[list(SPLITS).index(split)]


def split_figure(
    theme: Theme,
    title: str,
    names: Sequence[str],
    drawn: Mapping[str, NDArray[np.float64]],
    counts: Mapping[str, Sequence[int]],
    *,
    texts: Sequence[str],
    hover: str,
    **layout: Any,
) -> go.Figure:
    """Draw both splits over the same bins.

    `names` are the bins' raw names and `texts` the same as plotly text; `drawn` gives a split's heights, shape
    (bins,), and `counts` what they stand for; `hover` is a template over %{text}, %{y} and %{customdata}.
    """
    # The line steps in the middle between two bins: one more at each end takes it over the whole of the outer ones.
    ends = [0, *range(len(names)), len(names) - 1]
    shared = {"hovertemplate": f"{hover}<extra>%{{fullData.name}}</extra>"}
    bars = go.Bar(
        x=_keys(len(names))[1:-1],
        y=drawn["train"],
        text=list(texts),
        textposition="none",
        customdata=np.array(counts["train"], dtype=np.int64),
        name=SPLITS["train"],
        marker={"color": split_colour("train", theme), "line": {"width": 0}},
        # Of the whole trace: where a thousand bars overlap by a part of a pixel, theirs would add up.
        opacity=0.55,
        **shared,
    )
    line = go.Scatter(
        x=_keys(len(names)),
        y=drawn["val"][ends],
        text=[texts[k] for k in ends],
        customdata=np.array(counts["val"], dtype=np.int64)[ends],
        mode="lines",
        name=SPLITS["val"],
        line={"color": split_colour("val", theme), "width": 2, "shape": "hvh"},
        **shared,
    )
    named = ["", *names, ""]
    return make_figure(theme, title, [bars, line], names=named, bargap=0, showlegend=True, **layout)


def _keys(bins: int) -> list[str]:
    """Return the categories behind the axis: two bins of one name stay two, and there is one more at each end."""
    return [str(number) for number in range(bins + 2)]


def bin_axis(bins: int, ticks: Mapping[float, str], title: str) -> dict[str, Any]:
    """Return an axis over `bins` bins; `ticks` maps a place to its words, and bin k reaches from k to k + 1."""
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": _keys(bins),
        "tickmode": "array",
        "tickvals": [place + 0.5 for place in ticks],
        "ticktext": list(ticks.values()),
        "tickangle": 0,
        "range": [0.5, bins + 0.5],
        "showgrid": False,
        "title": {"text": title},
    }


def shares(counts: Sequence[int]) -> NDArray[np.float64]:
    """Return counts as percentages of their sum; zeros where that is zero."""
    values = np.array(counts, dtype=np.float64)
    values *= 100 / max(1.0, float(values.sum()))
    return values
