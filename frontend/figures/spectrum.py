"""One layer's eigenspectrum at one iteration, any number of runs overlaid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from backend.spectra.fit import PowerLaw
from frontend.figures.colours import PALETTES, Theme
from frontend.figures.labels import label
from frontend.figures.runs import FigureRun
from frontend.figures.theme import make_figure

FLOOR = 1e-7
"""The axis ends here at the latest: eigenvalues below it are rounding, and the paper's threshold is 1e-3."""


@dataclass(frozen=True)
class SpectrumLine:
    """One run's eigenvalues (descending, shape (C,)) at `iteration`, and their dimensionality.

    Under a criterion that is a slope, `dimension` is that slope and `fit` its line, None where there is none.
    """

    run: FigureRun
    iteration: int
    eigenvalues: NDArray[np.floating[Any]]
    dimension: float
    fit: PowerLaw | None = None
    is_slope: bool = False


def spectrum(
    layer: str,
    lines: Sequence[SpectrumLine],
    threshold: float | None,
    value_range: tuple[float, float],
    theme: Theme = "light",
) -> go.Figure:
    """Draw λ_j against j on log axes, each run's d marked on its line, or its power law drawn over it.

    `threshold` is τ of the absolute criterion, None for the others. `value_range` (smallest, largest
    eigenvalue) spans all iterations, so that nothing moves but the lines while a person scrubs.
    """
    palette = PALETTES[theme]
    widest = max((len(line.eigenvalues) for line in lines), default=1)
    return make_figure(
        theme,
        f"Eigenspectrum of {label(layer)}",
        [trace for line in lines for trace in _traces(line, theme)],
        xaxis={
            "type": "log",
            "range": [-0.03, float(np.log10(max(widest, 2))) + 0.03],
            "title": {"text": "index j of the eigenvalue"},
            **_whole_number_ticks(widest),
        },
        yaxis={
            "type": "log",
            "range": log_range(*value_range, threshold),
            "exponentformat": "power",
            "dtick": 1,
            "tickfont": {"size": 9.5},
            "title": {"text": "eigenvalue λ<sub>j</sub>"},
        },
        shapes=_threshold_line(threshold, palette.muted),
        annotations=_threshold_text(threshold, palette.muted, palette.paper),
        showlegend=False,
    )


def log_range(smallest: float, largest: float, threshold: float | None) -> list[float]:
    """Return a log axis' range in decades that holds the spectrum above `FLOOR` and the threshold."""
    low = max(smallest, FLOOR)
    high = max(largest, low * 10)
    if threshold is not None and threshold > 0:
        low, high = min(low, threshold / 10), max(high, threshold * 10)
    return [float(np.log10(low)) - 0.1, float(np.log10(high)) + 0.1]


def _traces(line: SpectrumLine, theme: Theme) -> tuple[go.Scatter, go.Scatter]:
    values = np.asarray(line.eigenvalues, dtype=np.float32)
    style = line.run.line(theme)
    curve = go.Scatter(
        x=np.arange(1, len(values) + 1, dtype=np.int32),
        y=values,
        mode="lines",
        name=line.run.text,
        line=style,
        hovertemplate="λ<sub>%{x}</sub> = %{y:.3~g}<extra>%{fullData.name}</extra>",
        meta={"run": line.run.id, "part": "curve"},
    )
    return curve, _fit(line, theme) if line.is_slope else _marker(line, theme)


def _marker(line: SpectrumLine, theme: Theme) -> go.Scatter:
    values = np.asarray(line.eigenvalues, dtype=np.float32)
    index = int(np.clip(round(line.dimension), 1, len(values))) if len(values) else 1
    return go.Scatter(
        x=[max(line.dimension, 1.0)],
        y=[float(values[index - 1]) if len(values) else None],
        mode="markers",
        name=line.run.text,
        marker={
            "color": line.run.line(theme)["color"],
            "size": 9,
            "line": {"color": PALETTES[theme].paper, "width": 1.5},
        },
        customdata=[[line.iteration, line.dimension, len(values)]],
        hovertemplate=(
            "iteration %{customdata[0]:,}<br>d = %{customdata[1]:,.4~r} of %{customdata[2]:,}"
            "<extra>%{fullData.name}</extra>"
        ),
        meta={"run": line.run.id, "part": "dimension"},
    )


def _fit(line: SpectrumLine, theme: Theme) -> go.Scatter:
    ends = [1, line.fit.ranks] if line.fit else []
    return go.Scatter(
        x=ends,
        y=[line.fit.at(rank) for rank in ends] if line.fit else [],
        mode="lines",
        name=line.run.text,
        line={"color": line.run.line(theme)["color"], "width": 1, "dash": "dot"},
        customdata=[[line.iteration, line.dimension, ends[-1]]] * 2 if ends else [],
        hovertemplate=(
            "iteration %{customdata[0]:,}<br>α = %{customdata[1]:.3~r} over %{customdata[2]:,} ranks"
            "<extra>%{fullData.name}</extra>"
        ),
        meta={"run": line.run.id, "part": "fit"},
    )


def _whole_number_ticks(widest: int) -> dict[str, Any]:
    ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000) if tick <= widest]
    return {"tickmode": "array", "tickvals": ticks, "ticktext": [f"{tick:,}" for tick in ticks]}


def _threshold_line(threshold: float | None, colour: str) -> list[dict[str, Any]]:
    if not threshold or threshold <= 0:
        return []
    line = {"color": colour, "width": 1, "dash": "dot"}
    return [
        {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": threshold, "y1": threshold, "line": line}
    ]


def _threshold_text(threshold: float | None, colour: str, paper: str) -> list[dict[str, Any]]:
    if not threshold or threshold <= 0:
        return []
    return [
        {
            "xref": "x domain",
            "x": 0.005,
            "xanchor": "left",
            "yref": "y",
            "y": float(np.log10(threshold)),
            "yanchor": "bottom",
            "text": f"τ = {threshold:g}",
            "showarrow": False,
            "font": {"size": 11, "color": colour},
            "bgcolor": paper,
        }
    ]
