"""Figures of the scalars that a training tells of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
from sqlalchemy.orm import Session

from frontend import gather
from frontend.builders.averages import Average, averaged_points, by_group, words_of_average
from frontend.courses import Courses, courses_of
from frontend.figure_request import FigureRequest
from frontend.figures import metrics
from frontend.figures.along import Along, Placed, Points, number_axis
from frontend.figures.groups import FigureGroup
from frontend.figures.metric_lines import MetricSeries
from frontend.figures.metrics import Scale
from frontend.figures.seeds import mean_and_band, rows_at
from frontend.figures.smoothing import exponential_mean, memory_of


def build_losses(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw the loss: of one run with its parts, of several the totals."""
    prefix = "loss_" if len(asked.run_ids) == 1 else ""
    series, notes = _series(session, asked, ["loss"], prefix, asked.smooth)
    return _noted(metrics.losses(series, asked.theme, asked.smooth, _scale(asked, "log")), notes)


def build_learning_rate(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw the learning rate."""
    series, notes = _series(session, asked, ["lr"])
    return _noted(metrics.learning_rate(series, asked.theme, _scale(asked, "linear")), notes)


def build_average_precision(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw accuracy: of one run every kind, of several AP or top-1."""
    names = [*metrics.ACCURACIES] if len(asked.run_ids) == 1 else ["ap", "top1"]
    series, notes = _series(session, asked, names)
    return _noted(metrics.average_precision(series, asked.theme), notes)


def build_precision_by_size(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw a run's AP of small, medium and large objects."""
    names = [f"{kind}_{size}" for kind in ("ap", "mask_ap") for size in metrics.SIZES]
    series, notes = _series(session, _alone(asked), names)
    return _noted(metrics.precision_by_size(series, asked.theme), notes)


def build_gpu_memory(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw what a run holds of its GPU's memory."""
    series, notes = _series(session, _alone(asked), ["gpu_memory", "gpu_memory_used"])
    return _noted(metrics.gpu_memory(series, asked.theme), notes)


def build_metric(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw a metric as it was recorded."""
    ours = asked.metric in metrics.KNOWN
    # What somebody else recorded is shown as it is unless smoothing is asked for.
    smooth = asked.smooth if ours or asked.smooth is not None else 0.0
    series, notes = _series(session, asked, [asked.metric], smooth=smooth)
    drawn = metrics.own_metric(asked.metric, series, asked.theme, smooth, _scale(asked, "linear"))
    return _noted(drawn, notes)


def _alone(asked: FigureRequest) -> FigureRequest:
    """Return the request for the first of its runs alone."""
    return asked.model_copy(update={"runs": str(asked.run_ids[0]) if asked.run_ids else "", "band": ""})


def _scale(asked: FigureRequest, usual: Scale) -> Scale:
    return asked.yscale or usual


def _noted(figure: go.Figure, notes: Sequence[str]) -> go.Figure:
    """Return the figure with sentences on what is drawn, which also say why it is empty where it is."""
    if notes:
        reason = {} if figure.data else {"empty": " ".join(notes)}
        said = figure.layout.meta.get("notes", ())
        figure.layout.meta = {**figure.layout.meta, "notes": [*notes, *said], **reason}
    return figure


def _series(
    session: Session,
    asked: FigureRequest,
    names: Sequence[str],
    prefix: str = "",
    smooth: float | None = 0.0,
) -> tuple[list[MetricSeries], list[str]]:
    """Return the metrics, seeds averaged, where they lie on the axis asked for, and sentences on both."""
    runs = gather.runs_of(session, asked.run_ids)
    courses = courses_of(session, runs, asked.x)
    found = gather.metric_series(session, gather.figure_runs(runs), names, prefix)
    notes = list(courses.notes)
    drawn = []
    for name in dict.fromkeys(one.metric for one in found):
        lines, more = by_group(
            [one for one in found if one.metric == name], runs, asked.band, _averaged(smooth)
        )
        drawn += lines
        notes += [note for note in more if note not in notes]
    return _placed(drawn, courses, asked.along), notes


def _averaged(smooth: float | None) -> Average[MetricSeries]:
    """Return the function that averages runs, and gives the band of what smoothing makes of each of them."""

    def average(group: FigureGroup, members: list[MetricSeries]) -> tuple[MetricSeries, str] | None:
        iterations = [np.asarray(one.iterations, dtype=np.int32) for one in members]
        found = averaged_points(iterations, [one.values for one in members])
        if found is None:
            return None
        shared, mean, band = found
        memory = memory_of(shared.tolist(), smooth)
        if memory:
            rows = rows_at(shared, iterations, [one.values for one in members])
            _, band = mean_and_band(
                np.array([exponential_mean(shared.tolist(), row, memory) for row in rows])
            )
        words = words_of_average(group, band, len(shared), max(len(one) for one in iterations))
        return MetricSeries(group, members[0].metric, shared.tolist(), mean, band=band), words

    return average


def _placed(series: Sequence[MetricSeries], courses: Courses, along: Along) -> list[MetricSeries]:
    """Return the lines whose runs can be placed, all on one axis."""
    known = [one for one in series if _members(one) & courses.by_run.keys()]
    axis = number_axis([_points(one, courses) for one in known], along)
    return [replace(one, placed=Placed(axis, number)) for number, one in enumerate(known)]


def _members(one: MetricSeries) -> set[int]:
    if isinstance(one.run, FigureGroup):
        return {run.id for run in one.run.members}
    return {one.run.id}


def _points(one: MetricSeries, courses: Courses) -> Points:
    """Return where a line's points lie; a group's at the mean of those of its runs that can be placed."""
    at = np.asarray(one.iterations, dtype=np.int32)
    places = [courses.by_run[run].at(at) for run in sorted(_members(one)) if run in courses.by_run]
    return Points(at, np.mean(places, axis=0))
