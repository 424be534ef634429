"""Runs that differ by their seed as one line: their mean spectrum, and a band that says how far they part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from frontend.figures.colours import PALETTES, Theme
from frontend.figures.seeds import DEVIATION_FROM
from frontend.figures.spectrum_scale import HOVERS, SpectrumScale

OPACITY = 0.18


class Group(Protocol):
    """Who is drawn: its name, its line, and what a page needs to know of its traces."""

    @property
    def legend(self) -> str:
        """What its traces are called, as plotly text."""

    @property
    def meta(self) -> dict[str, Any]:
        """Its runs, as the meta of a trace."""

    def line(self, theme: Theme) -> dict[str, Any]:
        """Return the line of its mean."""


@dataclass(frozen=True)
class SpectrumMean:
    """The middle and the ends of some spectra, each of shape (C,)."""

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class SpectrumBand:
    """Some runs that are drawn as one: their eigenvalues (descending) and dimensionalities at the cursor."""

    group: Group
    eigenvalues: Sequence[NDArray[np.floating[Any]]]
    dimensions: Sequence[float]
    is_slope: bool = False


def mean_spectrum(spectra: Sequence[NDArray[np.floating[Any]]], scale: SpectrumScale) -> SpectrumMean:
    """Return the mean of what is drawn of these spectra, index by index, and one standard deviation to either side.

    Eigenvalues span decades, so that their mean and deviation are those of their logarithms: the geometric mean,
    over and times exp(s). Where one of them is not positive the mean is 0, and the band goes from the lowest to the
    highest, as it does for two runs. Shares are averaged as they are. The deviation s is the sample's (ddof 1).
    Spectra of different widths are averaged over the indices that all of them have.
    """
    shortest = min(len(values) for values in spectra)
    drawn = np.stack([scale.drawn(values)[:shortest] for values in spectra])
    low, high = drawn.min(axis=0), drawn.max(axis=0)
    deviates = len(drawn) >= DEVIATION_FROM
    if scale.height == "cumulative":
        mean = drawn.mean(axis=0)
        if deviates:
            spread = drawn.std(axis=0, ddof=1)
            low, high = np.maximum(mean - spread, 0), np.minimum(mean + spread, 1)
        return SpectrumMean(mean, low, high)
    positive = (drawn > 0).all(axis=0)
    logarithms = np.log(np.where(positive, drawn, 1.0))
    mean = np.where(positive, np.exp(logarithms.mean(axis=0)), 0.0)
    if deviates:
        factor = np.exp(logarithms.std(axis=0, ddof=1))
        low, high = np.where(positive, mean / factor, low), np.where(positive, mean * factor, high)
    return SpectrumMean(mean, low, high)


def band_traces(one: SpectrumBand, scale: SpectrumScale, theme: Theme) -> list[go.Scatter]:
    """Return the band's two edges, its mean, and the mean dimensionality on it."""
    found = mean_spectrum(one.eigenvalues, scale)
    style = one.group.line(theme)
    index = np.arange(1, len(found.mean) + 1, dtype=np.int32)

    def line(values: NDArray[np.float64], part: str, **style: Any) -> go.Scatter:
        return go.Scatter(
            x=index,
            y=values.astype(np.float32),
            mode="lines",
            name=one.group.legend,
            meta={**one.group.meta, "part": part},
            **style,
        )

    hidden: dict[str, Any] = {"line": {"width": 0}, "hoverinfo": "skip"}
    hover = f"{HOVERS[scale.height]}<extra>%{{fullData.name}}</extra>"
    traces = [
        line(found.high, "high", **hidden),
        line(found.low, "low", fill="tonexty", fillcolor=translucent(style["color"]), **hidden),
        line(found.mean, "curve", line=style, hovertemplate=hover),
    ]
    return traces if one.is_slope else [*traces, _marker(one, found, style["color"], theme)]


def _marker(one: SpectrumBand, found: SpectrumMean, colour: str, theme: Theme) -> go.Scatter:
    d = float(np.mean(one.dimensions))
    place = int(np.clip(np.floor(d + 0.5), 1, len(found.mean))) - 1
    lowest, highest = float(np.min(one.dimensions)), float(np.max(one.dimensions))
    return go.Scatter(
        x=[max(d, 1.0)],
        y=[float(found.mean[place])],
        mode="markers",
        name=one.group.legend,
        marker={"color": colour, "size": 9, "line": {"color": PALETTES[theme].paper, "width": 1.5}},
        customdata=[[d, lowest, highest, len(found.mean)]],
        hovertemplate=(
            "d = %{customdata[0]:,.4~r} (%{customdata[1]:,.4~r} to %{customdata[2]:,.4~r}) of %{customdata[3]:,}"
            "<extra>%{fullData.name}</extra>"
        ),
        meta={**one.group.meta, "part": "dimension"},
    )


def translucent(colour: str) -> str:
    """Return a colour such as #0072b2 as one that a line behind it shows through."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {OPACITY})"
