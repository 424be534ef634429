"""Scalars by iteration: losses, learning rate, average precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from frontend.figures.along import BY_ITERATION, number_axis
from frontend.figures.axes import log_ticks
from frontend.figures.band import band_traces
from frontend.figures.colours import PALETTES, Theme
from frontend.figures.groups import FigureGroup
from frontend.figures.labels import label
from frontend.figures.metric_lines import MetricSeries, metric_line, raw_lines
from frontend.figures.smoothing import memory_of
from frontend.figures.theme import make_figure
from frontend.figures.thinning import MOST_POINTS, kept_points

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
        name = one.run.legend if several or one.band else "total"
        raw += raw_lines(one, name, {**one.run.line(theme, 1), "dash": "solid"}, smooth, 0.3)
        traces.append(metric_line(one, name, one.run.line(theme, 2), smooth=smooth))
    parts = [one for one in series if one.metric != "loss"]
    for number, one in enumerate([] if several else parts):
        line = {"color": colours[number % len(colours)], "width": 1.25}
        name = _LOSSES.get(one.metric, label(one.metric.removeprefix("loss_").replace("_", " "), 24))
        raw += raw_lines(one, name, {**line, "width": 1}, smooth, 0.18)
        traces.append(metric_line(one, name, line, smooth=smooth))
    drawn = [float(value) for one in series for value in one.values]
    totals = [one for one in series if one.metric == "loss"]
    yaxis = {"title": {"text": "loss"}, **_scaled(scale, drawn)}
    return _figure(
        theme,
        "Training loss",
        [*_bands(totals, theme, scale), *raw, *traces],
        series,
        yaxis,
        not several and len(traces) > 1,
    )


def learning_rate(
    series: Sequence[MetricSeries], theme: Theme = "light", scale: Scale = "linear"
) -> go.Figure:
    """Draw the learning rate of each run."""
    traces = [metric_line(one, one.run.legend, one.run.line(theme)) for one in series]
    drawn = [float(value) for one in series for value in one.values]
    yaxis: dict[str, Any] = {"title": {"text": "learning rate"}, "exponentformat": "power"}
    yaxis |= _scaled("log", drawn) if scale == "log" else {"rangemode": "tozero"}
    return _figure(theme, "Learning rate", traces, series, yaxis, False)


def average_precision(series: Sequence[MetricSeries], theme: Theme = "light") -> go.Figure:
    """Draw accuracies (0..1) as percentages: of one run every kind, of several each run's AP or top-1."""
    several = len({one.run.id for one in series}) > 1
    colours = PALETTES[theme].components
    traces = []
    for number, one in enumerate(series):
        first = one.metric in ("ap", "top1")
        line = one.run.line(theme) if first else {"color": colours[number % len(colours)], "width": 1.25}
        name = one.run.legend if several or one.band else ACCURACIES.get(one.metric, label(one.metric, 24))
        traces.append(metric_line(one, name, line, factor=100.0, mode="lines+markers"))
    title = "Average precision on the validation split"
    yaxis = {"title": {"text": "AP (%)"}, "rangemode": "tozero"}
    if series and all(one.metric == "top1" for one in series):
        title, yaxis["title"] = "Top-1 accuracy on the validation split", {"text": "top-1 (%)"}
    bands = _bands(series, theme, "linear", 100.0)
    return _figure(theme, title, bands + traces, series, yaxis, not several and len(series) > 1)


def precision_by_size(series: Sequence[MetricSeries], theme: Theme = "light") -> go.Figure:
    """Draw a run's AP of small, medium and large objects as percentages; of masks with dashes."""
    colours = PALETTES[theme].components
    traces = []
    for one in series:
        kind, _, size = one.metric.rpartition("_")
        dash = "dash" if kind == "mask_ap" else "solid"
        line = {"color": colours[SIZES.index(size)], "width": 1.5, "dash": dash}
        name = f"mask, {size}" if kind == "mask_ap" else size
        traces.append(metric_line(one, name, line, factor=100.0, mode="lines+markers"))
    yaxis = {"title": {"text": "AP (%)"}, "rangemode": "tozero"}
    title = "Average precision by the objects' size"
    return _figure(theme, title, traces, series, yaxis, len(series) > 1)


def gpu_memory(series: Sequence[MetricSeries], theme: Theme = "light") -> go.Figure:
    """Draw what a run holds of its GPU's memory, and what all processes hold of it."""
    colours = PALETTES[theme].components
    traces = []
    for one in series:
        own = one.metric == "gpu_memory"
        line = one.run.line(theme) if own else {"color": colours[0], "width": 1.25}
        traces.append(metric_line(one, "this run" if own else "whole card", line, factor=2.0**-30))
    yaxis = {"title": {"text": "GiB"}, "rangemode": "tozero"}
    return _figure(theme, "GPU memory", traces, series, yaxis, len(series) > 1)


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
        raw += raw_lines(one, one.run.text, {**line, "width": 1, "dash": "solid"}, smooth, 0.3, known.factor)
        traces.append(metric_line(one, one.run.legend, line, smooth=smooth, factor=known.factor, mode=mode))
    drawn = [float(value) for one in series for value in one.values]
    yaxis = {"title": {"text": known.unit}, **_scaled(scale, drawn)}
    if known.factor == 100.0:
        yaxis["rangemode"] = "tozero"
    bands = _bands(series, theme, scale, known.factor)
    return _figure(theme, known.title, [*bands, *raw, *traces], series, yaxis, False)


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


def _figure(
    theme: Theme,
    title: str,
    traces: Sequence[go.Scatter],
    series: Sequence[MetricSeries],
    yaxis: dict[str, Any],
    legend: bool,
) -> go.Figure:
    axis = series[0].on_axis.axis if series else number_axis([], BY_ITERATION)
    grouped = any(isinstance(one.run, FigureGroup) for one in series)
    return make_figure(
        theme,
        title,
        traces,
        words=axis.meta,
        notes=_thinned(series),
        xaxis=axis.layout,
        yaxis=yaxis,
        showlegend=legend or grouped,
    )


def _thinned(series: Sequence[MetricSeries]) -> list[str]:
    """Say so where not every point is drawn."""
    longest = max((len(one.iterations) for one in series), default=0)
    if longest <= MOST_POINTS:
        return []
    return [
        f"Of up to {longest:,} points of a line {MOST_POINTS:,} are drawn, the lowest and highest of each stretch; "
        "the API has all."
    ]


def _bands(
    series: Sequence[MetricSeries], theme: Theme, scale: Scale, factor: float = 1.0
) -> list[go.Scatter]:
    found = []
    for one in series:
        positive = one.values[one.values > 0] * factor
        floor = float(positive.min(initial=1.0)) / 2 if scale == "log" else None
        kept = kept_points(one.values)
        band = one.band.times(factor).at(kept) if one.band else None
        found += band_traces(one.on_axis.x[kept], band, one.run, theme, floor=floor, metric=one.metric)
    return found


def _scaled(scale: Scale, drawn: Sequence[float]) -> dict[str, Any]:
    return {"type": "log", **log_ticks(drawn)} if scale == "log" else {"type": "linear"}
