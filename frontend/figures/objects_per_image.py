"""How many objects a dataset's images hold."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

import plotly.graph_objects as go

from backend.datasets.summary import Histogram
from frontend.figures.colours import Theme
from frontend.figures.splits import bin_axis, shares, split_figure

TICKS_AT_MOST = 7


def objects_per_image(histograms: Mapping[str, Histogram], theme: Theme = "light") -> go.Figure:
    """Draw the share of each split's images by how many objects they hold; bins are those of the histogram."""
    edges = [int(edge) for edge in histograms["train"].edges]
    width = edges[1] - edges[0]
    bins = [f"{low}" if width == 1 else f"{low} – {low + width - 1}" for low in edges[:-1]]
    counts = {split: one.counts for split, one in histograms.items()}
    drawn = {split: shares(one) for split, one in counts.items()}
    step = ceil(len(bins) / TICKS_AT_MOST)
    # A bin of one number is named in its middle, one of several where it begins.
    shift = 0.5 if width == 1 else 0.0
    ticks = {k + shift: f"{edges[k]:,}" for k in range(0, len(bins), step)}
    return split_figure(
        theme,
        "Objects per image",
        bins,
        drawn,
        counts,
        texts=bins,
        hover="%{text} objects<br><b>%{y:.1f} %</b>, %{customdata:,} images",
        xaxis=bin_axis(len(bins), ticks, "objects in an image"),
        yaxis={"title": {"text": "images (%)"}, "rangemode": "tozero"},
    )
