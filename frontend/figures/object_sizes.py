"""How large a dataset's objects are."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import plotly.graph_objects as go

from backend.datasets.summary import Histogram
from frontend.figures.colours import PALETTES, Theme
from frontend.figures.splits import bin_axis, shares, split_figure

BOUNDS = (32, 96)
"""Between COCO's small, medium and large."""


def object_sizes(histograms: Mapping[str, Histogram], theme: Theme = "light") -> go.Figure:
    """Draw the share of each split's objects by the square root of their area, on a logarithmic axis.

    COCO's bounds are edges of bins (see `backend.datasets.statistics.SIZE_EDGES`).
    """
    first, last = _used(list(histograms.values()))
    edges = histograms["train"].edges[first : last + 2]
    counts = {split: one.counts[first : last + 1] for split, one in histograms.items()}
    bins = [f"{_pixels(low)} – {_pixels(high)} px" for low, high in pairwise(edges)]
    drawn = {split: shares(one) for split, one in counts.items()}
    hover = "%{text}<br><b>%{y:.1f} %</b>, %{customdata:,} objects"
    # Every fourth edge is another factor of 3 from 32.
    ticks = {float(k): _pixels(edge) for k, edge in enumerate(edges) if (first + k) % 4 == 0}
    return split_figure(
        theme,
        "Objects by size",
        bins,
        drawn,
        counts,
        texts=bins,
        hover=hover,
        xaxis=bin_axis(len(bins), ticks, "√area (px)"),
        yaxis={"title": {"text": "objects (%)"}, "rangemode": "tozero"},
        shapes=[_bound(edges.index(bound) + 0.5, theme) for bound in BOUNDS if bound in edges],
    )


def _used(histograms: list[Histogram]) -> tuple[int, int]:
    filled = [k for one in histograms for k, count in enumerate(one.counts) if count]
    return (min(filled), max(filled)) if filled else (0, len(histograms[0].counts) - 1)


def _pixels(edge: float) -> str:
    return f"{edge:.1f}" if edge < 10 else f"{edge:,.0f}"


def _bound(place: float, theme: Theme) -> dict[str, object]:
    line = {"color": PALETTES[theme].muted, "width": 1, "dash": "dot"}
    return {"type": "line", "x0": place, "x1": place, "y0": 0, "y1": 1, "yref": "paper", "line": line}
