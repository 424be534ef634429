"""One metric of one run as a line: smoothed, thinned, with its hover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from frontend.figures.along import BY_ITERATION, Placed, Points, number_axis
from frontend.figures.groups import Drawn
from frontend.figures.seeds import Band
from frontend.figures.smoothing import exponential_mean, memory_of
from frontend.figures.thinning import kept_points


@dataclass(frozen=True)
class MetricSeries:
    """One metric of one run, or a group's mean: `values` of shape (iterations,), NaN where it was not finite.

    `placed` is where it lies on an axis that does not count iterations; a `band` lies about the smoothed mean.
    """

    run: Drawn
    metric: str
    iterations: Sequence[int]
    values: NDArray[np.floating[Any]]
    placed: Placed | None = None
    band: Band | None = None

    @property
    def on_axis(self) -> Placed:
        """Where it is drawn."""
        at = np.asarray(self.iterations, dtype=np.int32)
        return self.placed or Placed(number_axis([Points(at, at.astype(np.float64))], BY_ITERATION), 0)


def raw_lines(
    one: MetricSeries,
    name: str,
    line: dict[str, Any],
    smooth: float | None,
    opacity: float,
    factor: float = 1.0,
) -> list[go.Scatter]:
    """Return the line behind a smoothed one; none where nothing is smoothed."""
    if not memory_of(one.iterations, smooth):
        return []
    return [metric_line(one, f"{name} (raw)", line, factor=factor, opacity=opacity, hoverinfo="skip")]


def metric_line(
    one: MetricSeries,
    name: str,
    line: dict[str, Any],
    *,
    smooth: float | None = 0.0,
    factor: float = 1.0,
    mode: str = "lines",
    **more: Any,
) -> go.Scatter:
    """Return one line, smoothed where `smooth` says, thinned where it is long."""
    memory = memory_of(one.iterations, smooth)
    raw = np.asarray(one.values, dtype=np.float64) * factor
    drawn = exponential_mean(one.iterations, raw, memory) if memory else raw
    kept = kept_points(drawn)
    hover = {} if "hoverinfo" in more else _hover(one, raw if memory else None, factor, kept)
    return go.Scatter(
        x=one.on_axis.x[kept],
        y=drawn[kept].astype(np.float32),
        mode="lines+markers" if np.isfinite(drawn).sum() == 1 else mode,
        marker={"size": 5},
        name=name,
        line=line,
        legendgroup=f"{one.run.id} {one.metric}",
        showlegend="hoverinfo" not in more,
        meta={**one.run.meta, "metric": one.metric, "memory": memory},
        **hover,
        **more,
    )


def _hover(
    one: MetricSeries, raw: NDArray[np.float64] | None, factor: float, kept: NDArray[np.intp]
) -> dict[str, Any]:
    """Return what a hover says: the place, the number, the raw one behind a smoothed one, and the band."""
    placed = one.on_axis
    columns, text = list(placed.data.T), f"{placed.axis.hover}<br><b>%{{y:.4~g}}</b>"
    if raw is not None:
        text += f", raw %{{customdata[{len(columns)}]:.4~g}}"
        columns.append(raw)
    if one.band:
        low, high = len(columns), len(columns) + 1
        text += f"<br>{one.band.words}: %{{customdata[{low}]:.4~g}} – %{{customdata[{high}]:.4~g}}"
        columns += [one.band.low * factor, one.band.high * factor]
    told = {"customdata": np.stack(columns, axis=-1)[kept].astype(np.float32)} if columns else {}
    return {"hovertemplate": text, **told}
