"""Scalars by iteration: losses, learning rate, average precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from frontend.figures.axes import log_ticks
from frontend.figures.colours import PALETTES, Theme
from frontend.figures.labels import label
from frontend.figures.runs import FigureRun
from frontend.figures.theme import make_figure

ITERATION = {"title": {"text": "iteration"}, "rangemode": "tozero", "tickformat": ",d"}
SMOOTHED_FROM = 40
"""With fewer points a running mean hides more than it shows."""

ACCURACIES = {
    "ap": "AP",
    "ap50": "AP<sub>50</sub>",
    "ap75": "AP<sub>75</sub>",
    "mask_ap": "mask AP",
    "mask_ap50": "mask AP<sub>50</sub>",
    "top1": "top-1",
}
"""Metrics that the chart of a run's accuracy shows, and what it calls them; further ones are in the API."""


@dataclass(frozen=True)
class MetricSeries:
    """One metric of one run: `values` of shape (iterations,), NaN where it was not finite."""

    run: FigureRun
    metric: str
    iterations: Sequence[int]
    values: NDArray[np.floating[Any]]


def smoothing_window(points: int) -> int:
    """Return over how many points a noisy series is averaged: a fortieth of it."""
    return max(1, points // 40) if points >= SMOOTHED_FROM else 1


def running_mean(values: NDArray[np.floating[Any]], window: int) -> NDArray[np.float64]:
    """Return the mean of each value and the up to `window` - 1 before it, NaN left out."""
    finite = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(finite, values, 0.0), dtype=np.float64)])
    counts = np.concatenate([[0], np.cumsum(finite)])
    end = np.arange(1, len(values) + 1)
    start = np.maximum(end - window, 0)
    held = counts[end] - counts[start]
    return np.where(held > 0, (sums[end] - sums[start]) / np.maximum(held, 1), np.nan)


def losses(series: Sequence[MetricSeries], theme: Theme = "light") -> go.Figure:
    """Draw losses on a log axis: a running mean, and behind a run's total the raw values.

    Of one run all parts are shown, of several each run's total.
    """
    several = len({one.run.id for one in series}) > 1
    parts = [one for one in series if one.metric != "loss"]
    traces: list[go.Scatter] = []
    for one in (one for one in series if one.metric == "loss"):
        window = smoothing_window(len(one.values))
        name = one.run.text if several else "total"
        if window > 1:
            traces.append(
                _line(one, name, {**one.run.line(theme, 1), "dash": "solid"}, opacity=0.25, hoverinfo="skip")
            )
        traces.append(_line(one, name, one.run.line(theme, 1.75), window=window))
    drawn = [float(value) for one in series for value in one.values]
    if not several:
        colours = PALETTES[theme].components
        for number, one in enumerate(parts):
            line = {"color": colours[number % len(colours)], "width": 1.25}
            name = _LOSSES.get(one.metric, label(one.metric.removeprefix("loss_").replace("_", " "), 24))
            traces.append(_line(one, name, line, window=smoothing_window(len(one.values)), legend=True))
    return make_figure(
        theme,
        "Training loss",
        traces,
        xaxis=ITERATION,
        yaxis={"type": "log", "title": {"text": "loss"}, **log_ticks(drawn)},
        showlegend=not several and bool(parts),
    )


def learning_rate(series: Sequence[MetricSeries], theme: Theme = "light") -> go.Figure:
    """Draw the learning rate of each run."""
    traces = [_line(one, one.run.text, one.run.line(theme)) for one in series]
    yaxis = {"title": {"text": "learning rate"}, "rangemode": "tozero", "exponentformat": "power"}
    return make_figure(theme, "Learning rate", traces, xaxis=ITERATION, yaxis=yaxis, showlegend=False)


def average_precision(series: Sequence[MetricSeries], theme: Theme = "light") -> go.Figure:
    """Draw accuracies (0..1) as percentages: of one run every kind, of several each run's AP or top-1."""
    several = len({one.run.id for one in series}) > 1
    colours = PALETTES[theme].components
    traces = []
    for number, one in enumerate(series):
        first = one.metric in ("ap", "top1")
        line = one.run.line(theme) if first else {"color": colours[number % len(colours)], "width": 1.25}
        name = one.run.text if several else ACCURACIES.get(one.metric, label(one.metric, 24))
        traces.append(_line(one, name, line, scale=100.0, mode="lines+markers"))
    title = "Average precision on the validation split"
    yaxis = {"title": {"text": "AP (%)"}, "rangemode": "tozero"}
    if series and all(one.metric == "top1" for one in series):
        title, yaxis["title"] = "Top-1 accuracy on the validation split", {"text": "top-1 (%)"}
    return make_figure(
        theme, title, traces, xaxis=ITERATION, yaxis=yaxis, showlegend=not several and len(series) > 1
    )


def own_metric(name: str, series: Sequence[MetricSeries], theme: Theme = "light") -> go.Figure:
    """Draw a metric of which nothing but its name is known, as it was recorded."""
    traces = [_line(one, one.run.text, one.run.line(theme), mode="lines+markers") for one in series]
    yaxis = {"title": {"text": label(name, 24)}}
    return make_figure(theme, label(name), traces, xaxis=ITERATION, yaxis=yaxis, showlegend=False)


_LOSSES = {
    "loss_classifier": "class",
    "loss_box_reg": "box",
    "loss_objectness": "objectness",
    "loss_rpn_box_reg": "RPN box",
    "loss_mask": "mask",
    "loss_classification": "class",
    "loss_bbox_regression": "box",
}


def _line(
    one: MetricSeries,
    name: str,
    line: dict[str, Any],
    *,
    window: int = 1,
    scale: float = 1.0,
    legend: bool = True,
    mode: str = "lines",
    **more: Any,
) -> go.Scatter:
    values = np.asarray(one.values, dtype=np.float64) * scale
    hover = {} if "hoverinfo" in more else {"hovertemplate": "iteration %{x:,}<br><b>%{y:.4~g}</b>"}
    return go.Scatter(
        x=np.asarray(one.iterations, dtype=np.int32),
        y=(running_mean(values, window) if window > 1 else values).astype(np.float32),
        mode=mode,
        marker={"size": 5},
        name=name,
        line=line,
        showlegend=legend and "hoverinfo" not in more,
        meta={"run": one.run.id, "metric": one.metric, "window": window},
        **hover,
        **more,
    )
