"""Figures of dimensionality: by layer and iteration, by iteration, by depth."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from sqlalchemy.orm import Session

from backend.errors import InvalidInput
from frontend import gather
from frontend.figure_request import FigureRequest
from frontend.figures.dimension_by_depth import DepthSeries, dimension_by_depth
from frontend.figures.dimension_by_iteration import DimensionSeries, dimension_by_iteration
from frontend.figures.heatmap import heatmap
from frontend.figures.heatmap_difference import heatmap_difference


def build_heatmap(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw one run's dimensionalities."""
    if len(asked.run_ids) != 1:
        raise InvalidInput(f"a heatmap shows 1 run, not {len(asked.run_ids)}; name one in runs")
    (found,) = _dimensions(session, asked)
    return heatmap(found.run, found.layers, found.iterations, found.values, asked.theme, asked.quantity)


def build_heatmap_difference(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw the first run's dimensionalities minus the second's."""
    if len(asked.run_ids) != 2:
        raise InvalidInput(f"a difference is between 2 runs, not {len(asked.run_ids)}; name two in runs")
    first, second = _dimensions(session, asked)
    names = {layer.name for layer in second.layers}
    layers = [layer for layer in first.layers if layer.name in names]
    iterations = [i for i in first.iterations if i in set(second.iterations)]
    drawn = [
        one.drawn(asked.quantity)[
            np.ix_(
                [one.row(layer.name) or 0 for layer in layers], [one.iterations.index(i) for i in iterations]
            )
        ]
        for one in (first, second)
    ]
    return heatmap_difference(
        first.run, second.run, layers, iterations, (drawn[0], drawn[1]), asked.theme, asked.quantity
    )


def build_dimension_by_iteration(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw one layer's dimensionality along training."""
    series = []
    for found in _dimensions(session, asked):
        row = found.row(asked.layer)
        if row is not None:
            width = found.layers[row].width
            series.append(DimensionSeries(found.run, found.iterations, found.values[row], width))
    return dimension_by_iteration(asked.layer, series, asked.theme, asked.quantity)


def build_dimension_by_depth(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw every layer's dimensionality at one iteration."""
    series, largest = [], 0.0
    for found in _dimensions(session, asked):
        at = gather.last_at(found.iterations, asked.iteration)
        if at is not None:
            largest = max(largest, float(np.nan_to_num(found.drawn(asked.quantity)).max(initial=0.0)))
            series.append(DepthSeries(found.run, found.iterations[at], found.layers, found.values[:, at]))
    return dimension_by_depth(series, largest, asked.theme, asked.quantity)


def _dimensions(session: Session, asked: FigureRequest) -> list[gather.RunDimensions]:
    threshold = asked.chosen_threshold
    runs = gather.figure_runs(gather.runs_of(session, asked.run_ids))
    return [gather.dimensions(session, run, asked.criterion, threshold) for run in runs]
