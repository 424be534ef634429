"""Scalars by iteration: losses, learning rate, average precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from frontend.figures.axes import log_ticks
from frontend.figures.colours import PALETTES, Theme
from frontend.figures.labels import label
from frontend.figures.runs import FigureRun
from frontend.figures.smoothing import exponential_mean, memory_of
from frontend.figures.theme import make_figure

ITERATION = {"title": {"text": "iteration"}, "rangemode": "tozero", "tickformat": ",d"}
Scale = Literal["log", "linear"]

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


def losses(
    series: Sequence[MetricSeries],
    theme: Theme = "light",
    smooth: float | None = None,
    scale: Scale = "log",
) -> go.Figure:
    """Draw losses: a mean over `smooth` iterations (see `exponential_mean`), and faint behind it the raw values.

    Of one run all parts are shown, of several each run's total.
    """
    several = len({one.run.id for one in series}) > 1
    colours = PALETTES[theme].components
    raw: list[go.Scatter] = []
    traces: list[go.Scatter] = []
    for one in (one for one in series if one.metric == "loss"):
        name = one.run.text if several else "total"
        raw += _raw(one, name, {**one.run.line(theme, 1), "dash": "solid"}, smooth, 0.3)
        traces.append(_line(one, name, one.run.line(theme, 2), smooth=smooth))
    for number, one in enumerate([] if several else [one for one in series if one.metric != "loss"]):
        line = {"color": colours[number % len(colours)], "width": 1.25}
        name = _LOSSES.get(one.metric, label(one.metric.removeprefix("loss_").replace("_", " "), 24))
        raw += _raw(one, name, {**line, "width": 1}, smooth, 0.18)
        traces.append(_line(one, name, line, smooth=smooth))
    drawn = [float(value) for one in series for value in one.values]
    return make_figure(
        theme,
        "Training loss",
        raw + traces,
        xaxis=ITERATION,
        yaxis={"title": {"text": "loss"}, **_scaled(scale, drawn)},
        showlegend=not several and len(traces) > 1,
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
        traces.append(_line(one, name, line, factor=100.0, mode="lines+markers"))
    title = "Average precision on the validation split"
    yaxis = {"title": {"text": "AP (%)"}, "rangemode": "tozero"}
    if series and all(one.metric == "top1" for one in series):
        title, yaxis["title"] = "Top-1 accuracy on the validation split", {"text": "top-1 (%)"}
    return make_figure(
        theme, title, traces, xaxis=ITERATION, yaxis=yaxis, showlegend=not several and len(series) > 1
    )


def precision_by_size(series: Sequence[MetricSeries], theme: Theme = "light") -> go.Figure:
    """Draw a run's AP of small, medium and large objects as percentages; of masks with dashes."""
    colours = PALETTES[theme].components
    traces = []
    for one in series:
        kind, _, size = one.metric.rpartition("_")
        dash = "dash" if kind == "mask_ap" else "solid"
        line = {"color": colours[SIZES.index(size)], "width": 1.5, "dash": dash}
        name = f"mask, {size}" if kind == "mask_ap" else size
        traces.append(_line(one, name, line, factor=100.0, mode="lines+markers"))
    yaxis = {"title": {"text": "AP (%)"}, "rangemode": "tozero"}
    title = "Average precision by the objects' size"
    return make_figure(theme, title, traces, xaxis=ITERATION, yaxis=yaxis, showlegend=len(series) > 1)


def gpu_memory(series: Sequence[MetricSeries], theme: Theme = "light") -> go.Figure:
    """Draw what a run holds of its GPU's memory, and what all processes hold of it."""
    colours = PALETTES[theme].components
    traces = []
    for one in series:
        own = one.metric == "gpu_memory"
        line = one.run.line(theme) if own else {"color": colours[0], "width": 1.25}
        traces.append(_line(one, "this run" if own else "whole card", line, factor=2.0**-30))
    yaxis = {"title": {"text": "GiB"}, "rangemode": "tozero"}
    return make_figure(theme, "GPU memory", traces, xaxis=ITERATION, yaxis=yaxis, showlegend=len(series) > 1)


def own_metric(
    name: str,
    series: Sequence[MetricSeries],
    theme: Theme = "light",
    smooth: float | None = 0.0,
    scale: Scale = "linear",
) -> go.Figure:
    """Draw a metric as it was recorded, or its mean over `smooth` iterations with the raw values faint behind it."""
    known = KNOWN.get(name, Known(label(name), label(name, 24)))
    raw: list[go.Scatter] = []
    traces = []
    for one in series:
        mode = "lines" if memory_of(one.iterations, smooth) else "lines+markers"
        line = one.run.line(theme)
        raw += _raw(one, one.run.text, {**line, "width": 1, "dash": "solid"}, smooth, 0.3, known.factor)
        traces.append(_line(one, one.run.text, line, smooth=smooth, factor=known.factor, mode=mode))
    drawn = [float(value) for one in series for value in one.values]
    yaxis = {"title": {"text": known.unit}, **_scaled(scale, drawn)}
    if known.factor == 100.0:
        yaxis["rangemode"] = "tozero"
    return make_figure(theme, known.title, raw + traces, xaxis=ITERATION, yaxis=yaxis, showlegend=False)


@dataclass(frozen=True)
class Known:
    """What is known of a metric that the trainer records: its title, what its axis says, what it is multiplied by."""

    title: str
    unit: str
    factor: float = 1.0


KNOWN = {
    "data_wait": Known("Waiting for data", "of the time (%)", 100.0),
    "gradient_norm": Known("Gradient norm", "norm over all weights"),
    "gradient_scale": Known("Loss scale of fp16", "factor"),
    "gpu_utilisation": Known("GPU utilisation", "of the time (%)", 100.0),
}
SIZES = ("small", "medium", "large")

_LOSSES = {
    "loss_classifier": "class",
    "loss_box_reg": "box",
    "loss_objectness": "objectness",
    "loss_rpn_box_reg": "RPN box",
    "loss_mask": "mask",
    "loss_classification": "class",
    "loss_bbox_regression": "box",
}


def _scaled(scale: Scale, drawn: Sequence[float]) -> dict[str, Any]:
    return {"type": "log", **log_ticks(drawn)} if scale == "log" else {"type": "linear"}


def _raw(
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
    return [_line(one, f"{name} (raw)", line, factor=factor, opacity=opacity, hoverinfo="skip")]


def _line(
    one: MetricSeries,
    name: str,
    line: dict[str, Any],
    *,
    smooth: float | None = 0.0,
    factor: float = 1.0,
    mode: str = "lines",
    **more: Any,
) -> go.Scatter:
    memory = memory_of(one.iterations, smooth)
    raw = np.asarray(one.values, dtype=np.float64) * factor
    hidden = "hoverinfo" in more
    hover: dict[str, Any] = {} if hidden else {"hovertemplate": "iteration %{x:,}<br><b>%{y:.4~g}</b>"}
    if memory and not hidden:
        hover = {
            "hovertemplate": "iteration %{x:,}<br><b>%{y:.4~g}</b>, raw %{customdata:.4~g}",
            "customdata": raw.astype(np.float32),
        }
    return go.Scatter(
        x=np.asarray(one.iterations, dtype=np.int32),
        y=(exponential_mean(one.iterations, raw, memory) if memory else raw).astype(np.float32),
        mode=mode,
        marker={"size": 5},
        name=name,
        line=line,
        legendgroup=f"{one.run.id} {one.metric}",
        showlegend=not hidden,
        meta={"run": one.run.id, "metric": one.metric, "memory": memory},
        **hover,
        **more,
    )
