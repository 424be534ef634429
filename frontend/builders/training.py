"""Figures of the scalars that a training tells of itself."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from sqlalchemy.orm import Session

from frontend import gather
from frontend.figure_request import FigureRequest
from frontend.figures import metrics
from frontend.figures.metrics import MetricSeries


def build_losses(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw the loss: of one run with its parts, of several the totals."""
    return metrics.losses(_series(session, asked, ["loss"], "loss_"), asked.theme)


def build_learning_rate(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw the learning rate."""
    return metrics.learning_rate(_series(session, asked, ["lr"]), asked.theme)


def build_average_precision(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw accuracy: of one run every kind, of several AP or top-1."""
    names = [*metrics.ACCURACIES] if len(asked.run_ids) == 1 else ["ap", "top1"]
    return metrics.average_precision(_series(session, asked, names), asked.theme)


def build_metric(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw a metric as it was recorded."""
    return metrics.own_metric(asked.metric, _series(session, asked, [asked.metric]), asked.theme)


def _series(
    session: Session, asked: FigureRequest, names: Sequence[str], prefix: str = ""
) -> list[MetricSeries]:
    runs = gather.figure_runs(gather.runs_of(session, asked.run_ids))
    return gather.metric_series(session, runs, names, prefix)
