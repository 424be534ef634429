"""Figures of a training's metrics, gathered from what the database holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from sqlalchemy.orm import Session

from backend.runs import repository
from frontend.figures import metrics
from frontend.figures.colours import Theme
from frontend.figures.metrics import Scale
from frontend.figures.runs import FigureRun
from frontend.gather import metric_series
from frontend.settings_table import is_recorded


@dataclass(frozen=True)
class TrainingRequest:
    """What is asked for; `smooth` and `scale` of None take the figure's own."""

    runs: list[FigureRun]
    theme: Theme
    metric: str = ""
    smooth: float | None = None
    scale: Scale | None = None


def _losses(session: Session, asked: TrainingRequest) -> go.Figure:
    series = metric_series(session, asked.runs, ["loss"], "loss_")
    figure = metrics.losses(series, asked.theme, asked.smooth, asked.scale or "log")
    return _empty(figure, "The first update has not been made yet.")


def _learning_rate(session: Session, asked: TrainingRequest) -> go.Figure:
    figure = metrics.learning_rate(metric_series(session, asked.runs, ["lr"]), asked.theme)
    return _empty(figure, "The first update has not been made yet.")


def _average_precision(session: Session, asked: TrainingRequest) -> go.Figure:
    names = [*metrics.ACCURACIES] if len(asked.runs) == 1 else ["ap", "top1"]
    figure = metrics.average_precision(metric_series(session, asked.runs, names), asked.theme)
    return _empty(figure, _before_evaluation(session, asked))


def _precision_by_size(session: Session, asked: TrainingRequest) -> go.Figure:
    names = [f"{kind}_{size}" for kind in ("ap", "mask_ap") for size in metrics.SIZES]
    figure = metrics.precision_by_size(metric_series(session, asked.runs[:1], names), asked.theme)
    return _empty(figure, _before_evaluation(session, asked))


def _gpu_memory(session: Session, asked: TrainingRequest) -> go.Figure:
    names = ["gpu_memory", "gpu_memory_used"]
    figure = metrics.gpu_memory(metric_series(session, asked.runs[:1], names), asked.theme)
    return _empty(figure, "No GPU has been asked yet.")


def _own_metric(session: Session, asked: TrainingRequest) -> go.Figure:
    series = metric_series(session, asked.runs, [asked.metric])
    ours = asked.metric in metrics.KNOWN
    # What somebody else recorded is shown as it is unless smoothing is asked for.
    smooth = asked.smooth if ours or asked.smooth is not None else 0.0
    return metrics.own_metric(asked.metric, series, asked.theme, smooth, asked.scale or "linear")


TRAINING_FIGURES: dict[str, Callable[[Session, TrainingRequest], go.Figure]] = {
    "losses": _losses,
    "learning_rate": _learning_rate,
    "average_precision": _average_precision,
    "precision_by_size": _precision_by_size,
    "gpu_memory": _gpu_memory,
    "metric": _own_metric,
}


def _empty(figure: go.Figure, words: str) -> go.Figure:
    """Let the page say why there is nothing to draw."""
    if not figure.data:
        figure.layout.meta = {**figure.layout.meta, "empty": words}
    return figure


def _before_evaluation(session: Session, asked: TrainingRequest) -> str:
    """Say when the first evaluation comes."""
    run = repository.get(session, asked.runs[0].id) if len(asked.runs) == 1 else None
    if run is None or is_recorded(run.specification):
        return "Not evaluated yet."
    if run.status not in ("queued", "running"):
        return "It ended before its first evaluation."
    specification: dict[str, Any] = run.specification
    every, last = specification["evaluate_every"], specification["training"]["iterations"]
    first = min(every or last, last)
    return f"The first evaluation comes at iteration {first:,}."
