"""How large a dataset's images are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from backend.datasets.summary import ImageSizes
from frontend.figures.colours import Theme
from frontend.figures.splits import SPLITS, split_colour
from frontend.figures.theme import make_figure

LARGEST_BUBBLE = 34
"""Diameter in pixels of a bubble that stands for all images of a split."""
SMALLEST_BUBBLE = 3


def image_sizes(splits: Mapping[str, ImageSizes], theme: Theme = "light") -> go.Figure:
    """Draw a bubble for each size, its area in proportion to the share of the split's images that have it."""
    traces = [_bubbles(split, splits[split], theme) for split in SPLITS]
    axis = {"rangemode": "tozero", "tickformat": ",d"}
    return make_figure(
        theme,
        "Images by width and height",
        traces,
        xaxis={**axis, "title": {"text": "width (px)"}},
        yaxis={**axis, "title": {"text": "height (px)"}},
        showlegend=True,
        legend={"itemsizing": "constant"},
    )


def _bubbles(split: str, sizes: ImageSizes, theme: Theme) -> go.Scatter:
    counts = np.array([one.images for one in sizes.groups], dtype=np.int64)
    share = counts / max(1, counts.sum())
    middle = (sizes.step - 1) / 2
    about = "about " if sizes.step > 1 else ""
    colour = split_colour(split, theme)
    return go.Scatter(
        x=np.array([one.width for one in sizes.groups]) + middle,
        y=np.array([one.height for one in sizes.groups]) + middle,
        mode="markers",
        name=SPLITS[split],
        # Rings over discs: where both splits have a size, both are seen.
        marker={
            "size": np.maximum(LARGEST_BUBBLE * np.sqrt(share), SMALLEST_BUBBLE),
            "color": colour,
            "symbol": "circle" if split == "train" else "circle-open",
            "opacity": 0.55 if split == "train" else 1,
            "line": {"color": colour, "width": 0 if split == "train" else 2},
        },
        customdata=np.stack([counts, 100 * share], axis=-1),
        hovertemplate=f"{about}%{{x:,.0f}} x %{{y:,.0f}} px<br><b>%{{customdata[1]:.1f}} %</b>, "
        "%{customdata[0]:,.0f} images<extra>%{fullData.name}</extra>",
    )
