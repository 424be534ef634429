"""Runs that differ by their seed as one line: their mean spectrum, and the band between the lowest and the highest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from frontend.figures.colours import PALETTES, Theme, run_colour
from frontend.figures.labels import label
from frontend.figures.runs import FigureRun
from frontend.figures.spectrum_scale import HOVERS, SpectrumScale

OPACITY = 0.18


@dataclass(frozen=True)
class Band:
    """The middle and the ends of some spectra, each of shape (C,)."""

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class SpectrumBand:
    """Some runs that are drawn as one: their eigenvalues (descending) and dimensionalities at the cursor."""

    name: str
    runs: Sequence[FigureRun]
    eigenvalues: Sequence[NDArray[np.floating[Any]]]
    dimensions: Sequence[float]
    is_slope: bool = False


def band(spectra: Sequence[NDArray[np.floating[Any]]], scale: SpectrumScale) -> Band:
    """Return the mean of what is drawn of these spectra, and the lowest and highest of it, index by index.

    Eigenvalues span decades, so that their mean is the geometric one, which is the arithmetic one of what a log
    axis shows; one that is not positive makes it 0. Shares are averaged as they are. The band holds every run:
    of three seeds a standard deviation would say more than is known. Spectra of different widths are averaged
    over the indices that all of them have.
    """
    shortest = min(len(values) for values in spectra)
    drawn = np.stack([scale.drawn(values)[:shortest] for values in spectra])
    if scale.height == "cumulative":
        mean = drawn.mean(axis=0)
    else:
        with np.errstate(divide="ignore"):
            mean = np.exp(np.log(np.maximum(drawn, 0)).mean(axis=0))
    return Band(mean, drawn.min(axis=0), drawn.max(axis=0))


def band_traces(one: SpectrumBand, scale: SpectrumScale, theme: Theme) -> list[go.Scatter]:
    """Return the band's two edges, its mean, and the mean dimensionality on it."""
    found = band(one.eigenvalues, scale)
    first = one.runs[0]
    colour = run_colour(first.id, first.init, theme)
    index = np.arange(1, len(found.mean) + 1, dtype=np.int32)
    name = f"{label(one.name)}, mean of {len(one.runs)}"

    def line(values: NDArray[np.float64], part: str, **style: Any) -> go.Scatter:
        return go.Scatter(
            x=index,
            y=values.astype(np.float32),
            mode="lines",
            name=name,
            meta={"run": None, "runs": [run.id for run in one.runs], "part": part},
            **style,
        )

    hidden: dict[str, Any] = {"line": {"width": 0}, "hoverinfo": "skip"}
    traces = [
        line(found.high, "high", **hidden),
        line(found.low, "low", fill="tonexty", fillcolor=translucent(colour), **hidden),
        line(
            found.mean,
            "curve",
            line={"color": colour, "width": 2},
            hovertemplate=f"{HOVERS[scale.height]}<extra>%{{fullData.name}}</extra>",
        ),
    ]
    return traces if one.is_slope else [*traces, _marker(one, found, name, colour, theme)]


def _marker(one: SpectrumBand, found: Band, name: str, colour: str, theme: Theme) -> go.Scatter:
    d = float(np.mean(one.dimensions))
    place = int(np.clip(np.floor(d + 0.5), 1, len(found.mean))) - 1
    lowest, highest = float(np.min(one.dimensions)), float(np.max(one.dimensions))
    return go.Scatter(
        x=[max(d, 1.0)],
        y=[float(found.mean[place])],
        mode="markers",
        name=name,
        marker={"color": colour, "size": 9, "line": {"color": PALETTES[theme].paper, "width": 1.5}},
        customdata=[[d, lowest, highest, len(found.mean)]],
        hovertemplate=(
            "d = %{customdata[0]:,.4~r} (%{customdata[1]:,.4~r} to %{customdata[2]:,.4~r}) of %{customdata[3]:,}"
            "<extra>%{fullData.name}</extra>"
        ),
        meta={"run": None, "runs": [run.id for run in one.runs], "part": "dimension"},
    )


def translucent(colour: str) -> str:
    """Return a colour such as #0072b2 as one that a line behind it shows through."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {OPACITY})"
