"""Figures of dimensionality: by layer and iteration, by iteration, by depth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.errors import InvalidInput
from backend.models import Run
from frontend import gather
from frontend.builders.averages import averaged_by_depth, averaged_by_iteration, by_group
from frontend.courses import courses_of, planned_iterations
from frontend.figure_request import FigureRequest
from frontend.figures.alignment import Snapshots, aligned, last_by_progress
from frontend.figures.course import Places
from frontend.figures.dimension_by_depth import DepthSeries, dimension_by_depth
from frontend.figures.dimension_by_iteration import DimensionSeries, dimension_by_iteration
from frontend.figures.heatmap import heatmap
from frontend.figures.heatmap_difference import heatmap_difference


def build_heatmap(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw one run's dimensionalities."""
    if len(asked.run_ids) != 1:
        raise InvalidInput(f"a heatmap shows 1 run, not {len(asked.run_ids)}; name one in runs")
    runs = gather.runs_of(session, asked.run_ids)
    (found,) = _dimensions(session, asked, runs)
    places, notes = _column_places(session, asked, runs[0], found.iterations)
    return heatmap(
        found.run,
        found.layers,
        found.iterations,
        found.values,
        asked.theme,
        asked.quantity,
        asked.along,
        places,
        notes,
    )


def build_heatmap_difference(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw the first run's dimensionalities minus the second's."""
    if len(asked.run_ids) != 2:
        raise InvalidInput(f"a difference is between 2 runs, not {len(asked.run_ids)}; name two in runs")
    runs = gather.runs_of(session, asked.run_ids)
    first, second = _dimensions(session, asked, runs)
    names = {layer.name for layer in second.layers}
    layers = [layer for layer in first.layers if layer.name in names]
    pairs = aligned(_snapshots(runs[0], first, asked), _snapshots(runs[1], second, asked), asked.align)
    columns = [column for column, _ in pairs], [column for _, column in pairs]
    drawn = [
        one.drawn(asked.quantity)[np.ix_([one.row(layer.name) or 0 for layer in layers], chosen)]
        for one, chosen in zip((first, second), columns, strict=True)
    ]
    iterations = [first.iterations[column] for column in columns[0]]
    others = [second.iterations[column] for column in columns[1]]
    places, notes = _column_places(session, asked, runs[0], iterations)
    return heatmap_difference(
        first.run,
        second.run,
        layers,
        iterations,
        (drawn[0], drawn[1]),
        asked.theme,
        asked.quantity,
        asked.along,
        places,
        others if others != iterations else None,
        notes,
    )


def build_dimension_by_iteration(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw one layer's dimensionality along training."""
    runs = gather.runs_of(session, asked.run_ids)
    courses = courses_of(session, runs, asked.x)
    series = []
    for run in gather.figure_runs(runs):
        found = gather.layer_dimensions(session, run, asked.layer, asked.criterion, asked.chosen_threshold)
        row = found.row(asked.layer)
        if row is not None and found.run.id in courses.by_run:
            places = courses.by_run[found.run.id].at(found.iterations)
            width = found.layers[row].width
            series.append(DimensionSeries(found.run, found.iterations, found.values[row], width, places))
    drawn, notes = by_group(series, runs, asked.band, averaged_by_iteration)
    return dimension_by_iteration(
        asked.layer,
        drawn,
        asked.theme,
        asked.quantity,
        asked.along,
        asked.yscale,
        [*courses.notes, *notes],
    )


def build_dimension_by_depth(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw every layer's dimensionality at one iteration."""
    runs = gather.runs_of(session, asked.run_ids)
    series, drawn = [], []
    for run, found in zip(runs, _dimensions(session, asked, runs), strict=True):
        at = _column_at(runs[0], run, found, asked)
        if at is not None:
            drawn.append(found.drawn(asked.quantity).ravel())
            series.append(DepthSeries(found.run, found.iterations[at], found.layers, found.values[:, at]))
    lines, notes = by_group(series, runs, asked.band, averaged_by_depth(asked.quantity))
    return dimension_by_depth(lines, _span(drawn), asked.theme, asked.quantity, asked.yscale, notes)


def _span(drawn: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """Return the smallest positive and the largest of all that may be drawn."""
    values = np.concatenate([np.empty(0), *drawn])
    positive = values[values > 0]
    return float(positive.min(initial=1.0)), float(positive.max(initial=0.0))


def _dimensions(session: Session, asked: FigureRequest, runs: Sequence[Run]) -> list[gather.RunDimensions]:
    threshold = asked.chosen_threshold
    return [gather.dimensions(session, run, asked.criterion, threshold) for run in gather.figure_runs(runs)]


def _column_places(
    session: Session, asked: FigureRequest, run: Run, iterations: Sequence[int]
) -> tuple[Places | None, tuple[str, ...]]:
    """Return where a heatmap's columns lie; None where they are counted in iterations, or cannot be placed."""
    if asked.x == "iteration":
        return None, ()
    courses = courses_of(session, [run], asked.x)
    return courses.by_run[run.id].at(iterations) if run.id in courses.by_run else None, courses.notes


def _snapshots(run: Run, found: gather.RunDimensions, asked: FigureRequest) -> Snapshots:
    planned = planned_iterations(run)
    if asked.align == "progress" and not planned:
        raise InvalidInput(
            f"nobody said how many iterations run {run.id} is planned to have; take align=iteration"
        )
    return Snapshots(found.iterations, planned, run.iteration)


def _column_at(first: Run, run: Run, found: gather.RunDimensions, asked: FigureRequest) -> int | None:
    """Return the column of the snapshot that stands at the iteration asked for, the first run's under progress."""
    if asked.align == "iteration" or asked.iteration is None:
        return gather.last_at(found.iterations, asked.iteration)
    snapshots = _snapshots(run, found, asked)
    return last_by_progress(snapshots, asked.iteration, planned_iterations(first))
