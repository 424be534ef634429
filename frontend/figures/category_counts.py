"""How often each category of a dataset occurs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from backend.datasets.summary import CategoryCount
from frontend.figures.colours import Theme
from frontend.figures.labels import label
from frontend.figures.splits import bin_axis, split_figure

NAMED_AT_MOST = 12
"""More names would not fit below the axis; hovers and the exported table have all."""


def category_counts(
    names: Sequence[str], splits: Mapping[str, Sequence[CategoryCount]], theme: Theme = "light"
) -> go.Figure:
    """Draw the number of objects of each category, the most frequent in training first, on a logarithmic axis."""
    order = sorted(range(len(names)), key=lambda k: -splits["train"][k].objects)
    sorted_names = [names[k] for k in order]
    counts = {split: [found[k].objects for k in order] for split, found in splits.items()}
    # A logarithm of nothing is drawn as nothing.
    drawn = {split: np.where(np.array(one) > 0, one, np.nan) for split, one in counts.items()}
    named = len(names) <= NAMED_AT_MOST
    ticks = {place + 0.5: label(name, 10) for place, name in enumerate(sorted_names)} if named else {}
    xaxis = bin_axis(len(names), ticks, "category" if named else f"{len(names):,} categories by frequency")
    return split_figure(
        theme,
        "Objects by category",
        sorted_names,
        drawn,
        counts,
        texts=[label(name) for name in sorted_names],
        hover="%{text}<br><b>%{customdata:,}</b> objects",
        xaxis={**xaxis, "tickangle": -35 if named else 0},
        yaxis={"type": "log", "title": {"text": "objects"}, "dtick": 1},
    )
