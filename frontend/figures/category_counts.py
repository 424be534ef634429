"""How often each category of a dataset occurs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from backend.datasets.summary import CategoryCount
from frontend.figures.colours import Theme
from frontend.figures.labels import label
from frontend.figures.splits import bin_axis, split_figure

NAMED_AT_MOST = 12
"""More names would not fit below the axis; hovers and the exported table have all."""
LOGARITHMIC_FROM = 30
"""Ratio of the most to the least frequent category from which a logarithmic axis shows more."""


def category_counts(
    names: Sequence[str],
    splits: Mapping[str, Sequence[CategoryCount]],
    theme: Theme = "light",
    noun: str = "objects",
) -> go.Figure:
    """Draw how many objects each category has, the most frequent in training first; `noun` is what is counted."""
    order = sorted(range(len(names)), key=lambda k: -splits["train"][k].objects)
    sorted_names = [names[k] for k in order]
    counts = {split: [found[k].objects for k in order] for split, found in splits.items()}
    some = [count for one in counts.values() for count in one if count]
    logarithmic = bool(some) and max(some) >= LOGARITHMIC_FROM * min(some)
    named = len(names) <= NAMED_AT_MOST
    ticks = {place + 0.5: label(name, 12) for place, name in enumerate(sorted_names)} if named else {}
    xaxis = bin_axis(len(names), ticks, "" if named else f"{len(names):,} categories by frequency")
    scale = {"type": "log", "dtick": 1} if logarithmic else {"rangemode": "tozero"}
    return split_figure(
        theme,
        f"{noun.capitalize()} by category",
        sorted_names,
        {split: _drawn(one, logarithmic) for split, one in counts.items()},
        counts,
        texts=[label(name) for name in sorted_names],
        hover=f"%{{text}}<br><b>%{{customdata:,}}</b> {noun}",
        xaxis={**xaxis, "tickangle": None, "automargin": True},
        yaxis={"title": {"text": noun}, **scale},
    )


def _drawn(counts: Sequence[int], logarithmic: bool) -> NDArray[np.float64]:
    values = np.array(counts, dtype=np.float64)
    if logarithmic:
        # A logarithm of nothing is drawn as nothing.
        values[values == 0] = np.nan
    return values
