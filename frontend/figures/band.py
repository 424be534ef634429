"""The band around a mean, as two traces that plotly fills between."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from frontend.figures.colours import Theme
from frontend.figures.groups import Drawn
from frontend.figures.seeds import Band

OPACITY = 0.18


def band_traces(
    x: Any, band: Band | None, of: Drawn, theme: Theme, *, floor: float | None = None, **meta: Any
) -> list[go.Scatter]:
    """Return the band's lower and upper edge, to be drawn before the mean; none without a band.

    `floor` lifts what a logarithmic axis has no place for.
    """
    if band is None:
        return []
    edges = [band.low, band.high]
    if floor is not None:
        edges = [np.maximum(edge, floor) for edge in edges]
    colour = of.line(theme)["color"]
    return [
        go.Scatter(
            x=x,
            y=edge.astype(np.float32),
            mode="lines",
            name=of.text,
            line={"width": 0, "color": colour},
            fill=fill,
            fillcolor=translucent(colour, OPACITY),
            hoverinfo="skip",
            showlegend=False,
            meta={**of.meta, **meta, "part": part},
        )
        for edge, fill, part in zip(edges, ("none", "tonexty"), ("low", "high"), strict=True)
    ]


def translucent(colour: str, opacity: float) -> str:
    """Return a colour such as #0072b2 so that what lies behind is seen through it."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"
