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
from frontend.figures.spectrum_band import SpectrumBand, band_traces
from frontend.figures.spectrum_scale import HOVERS, SpectrumScale
from frontend.figures.theme import make_figure

LOG_OF_EIGENVALUES = SpectrumScale()


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
    lines: Sequence[SpectrumLine | SpectrumBand],
    level: float | None,
    value_range: tuple[float, float],
    theme: Theme = "light",
    scale: SpectrumScale = LOG_OF_EIGENVALUES,
) -> go.Figure:
    """Draw λ_j, or what `scale` makes of it, against j; each run's d marked, or its power law drawn over it.

    `level` is where the criterion's threshold lies, None where it is no level of this scale. `value_range`
    (smallest, largest of what is drawn) spans all iterations, so that nothing moves but the lines while a
    person scrubs.
    """
    palette = PALETTES[theme]
    return make_figure(
        theme,
        f"Eigenspectrum of {label(layer)}",
        [trace for line in lines for trace in line_traces(line, scale, theme)],
        words={"layer": layer, "height": scale.height},
        xaxis=scale.x_axis(max((_width(line) for line in lines), default=1)),
        yaxis=scale.y_axis(*value_range, level),
        shapes=threshold_line(level, palette.muted),
        annotations=_threshold_text(level, scale.y_kind == "log", palette.muted, palette.paper),
        showlegend=False,
    )


def _width(line: SpectrumLine | SpectrumBand) -> int:
    if isinstance(line, SpectrumBand):
        return min(len(values) for values in line.eigenvalues)
    return len(line.eigenvalues)


def line_traces(line: SpectrumLine | SpectrumBand, scale: SpectrumScale, theme: Theme) -> list[go.Scatter]:
    """Return what is drawn of one run, or of runs that are drawn as one."""
    if isinstance(line, SpectrumBand):
        return band_traces(line, scale, theme)
    values = scale.drawn(line.eigenvalues).astype(np.float32)
    curve = go.Scatter(
        x=np.arange(1, len(values) + 1, dtype=np.int32),
        y=values,
        mode="lines",
        name=line.run.text,
        line=line.run.line(theme),
        hovertemplate=f"{HOVERS[scale.height]}<extra>%{{fullData.name}}</extra>",
        meta={"run": line.run.id, "runs": [line.run.id], "part": "curve", "iteration": line.iteration},
    )
    return [curve, _fit(line, scale, theme) if line.is_slope else _marker(line, values, theme)]


def _marker(line: SpectrumLine, values: NDArray[np.float32], theme: Theme) -> go.Scatter:
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
        meta={"run": line.run.id, "runs": [line.run.id], "part": "dimension"},
    )


def _fit(line: SpectrumLine, scale: SpectrumScale, theme: Theme) -> go.Scatter:
    # The sums of a power law are none.
    drawn = line.fit if scale.height != "cumulative" else None
    ends = [1, drawn.ranks] if drawn else []
    whole = float(line.eigenvalues[0]) if scale.height == "relative" else 1.0
    return go.Scatter(
        x=ends,
        y=[drawn.at(rank) / whole for rank in ends] if drawn else [],
        mode="lines",
        name=line.run.text,
        line={"color": line.run.line(theme)["color"], "width": 1, "dash": "dot"},
        customdata=[[line.iteration, line.dimension, ends[-1]]] * 2 if ends else [],
        hovertemplate=(
            "iteration %{customdata[0]:,}<br>α = %{customdata[1]:.3~r} over %{customdata[2]:,} ranks"
            "<extra>%{fullData.name}</extra>"
        ),
        meta={"run": line.run.id, "runs": [line.run.id], "part": "fit"},
    )


def threshold_line(threshold: float | None, colour: str) -> list[dict[str, Any]]:
    """Return the line at that height as shapes; none without a threshold."""
    if not threshold or threshold <= 0:
        return []
    line = {"color": colour, "width": 1, "dash": "dot"}
    return [
        {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": threshold, "y1": threshold, "line": line}
    ]


def _threshold_text(threshold: float | None, on_log: bool, colour: str, paper: str) -> list[dict[str, Any]]:
    if not threshold or threshold <= 0:
        return []
    return [
        {
            "xref": "x domain",
            "x": 0.005,
            "xanchor": "left",
            "yref": "y",
            "y": float(np.log10(threshold)) if on_log else threshold,
            "yanchor": "bottom",
            "text": f"τ = {threshold:g}",
            "showarrow": False,
            "font": {"size": 11, "color": colour},
            "bgcolor": paper,
        }
    ]
