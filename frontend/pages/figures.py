"""Figures over HTTP: the same functions that reports and notebooks call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import plotly.graph_objects as go
from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from backend.errors import InvalidInput, NotFound
from backend.http.dependencies import ReadSession
from backend.measurements import service
from frontend import gather
from frontend.figures import metrics
from frontend.figures.colours import Theme
from frontend.figures.dimension_by_depth import DepthSeries, dimension_by_depth
from frontend.figures.dimension_by_iteration import DimensionSeries, dimension_by_iteration
from frontend.figures.heatmap import heatmap
from frontend.figures.heatmap_difference import heatmap_difference
from frontend.figures.quantity import Quantity, quantity
from frontend.figures.runs import FigureRun
from frontend.figures.spectrum_scale import AxisKind, Height, SpectrumScale
from frontend.spectrum_lines import Align, SpectrumView, spectrum_figure

router = APIRouter(tags=["figures"])


@dataclass(frozen=True)
class Request:
    """What a figure is asked to show."""

    runs: list[FigureRun]
    layer: str
    iteration: int | None
    criterion: str
    threshold: float | None
    theme: Theme
    metric: str
    y: Height
    xs: AxisKind
    ys: AxisKind | None
    band: str
    align: Align

    @property
    def quantity(self) -> Quantity:
        """What the criterion's numbers are."""
        return quantity(self.criterion)

    def dimensions(self, session: Session) -> list[gather.RunDimensions]:
        """Return the dimensionalities of all runs asked for."""
        return [gather.dimensions(session, run, self.criterion, self.threshold) for run in self.runs]


def _heatmap(session: Session, asked: Request) -> go.Figure:
    if len(asked.runs) != 1:
        raise InvalidInput(f"a heatmap shows 1 run, not {len(asked.runs)}; name one in runs")
    (found,) = asked.dimensions(session)
    return heatmap(found.run, found.layers, found.iterations, found.values, asked.theme, asked.quantity)


def _heatmap_difference(session: Session, asked: Request) -> go.Figure:
    if len(asked.runs) != 2:
        raise InvalidInput(f"a difference is between 2 runs, not {len(asked.runs)}; name two in runs")
    first, second = asked.dimensions(session)
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


def _spectrum(session: Session, asked: Request) -> go.Figure:
    scale = SpectrumScale(asked.y, asked.xs, asked.ys)
    view = SpectrumView(
        asked.layer, asked.iteration, asked.criterion, asked.threshold, scale, asked.band, asked.align
    )
    return spectrum_figure(session, asked.runs, view, asked.theme)


def _by_iteration(session: Session, asked: Request) -> go.Figure:
    series = []
    for run in asked.runs:
        found = gather.layer_dimensions(session, run, asked.layer, asked.criterion, asked.threshold)
        row = found.row(asked.layer)
        if row is not None:
            width = found.layers[row].width
            series.append(DimensionSeries(found.run, found.iterations, found.values[row], width))
    return dimension_by_iteration(asked.layer, series, asked.theme, asked.quantity)


def _by_depth(session: Session, asked: Request) -> go.Figure:
    series, largest = [], 0.0
    for found in asked.dimensions(session):
        at = gather.last_at(found.iterations, asked.iteration)
        if at is not None:
            largest = max(largest, float(np.nan_to_num(found.drawn(asked.quantity)).max(initial=0.0)))
            series.append(DepthSeries(found.run, found.iterations[at], found.layers, found.values[:, at]))
    return dimension_by_depth(series, largest, asked.theme, asked.quantity)


def _losses(session: Session, asked: Request) -> go.Figure:
    return metrics.losses(gather.metric_series(session, asked.runs, ["loss"], "loss_"), asked.theme)


def _learning_rate(session: Session, asked: Request) -> go.Figure:
    return metrics.learning_rate(gather.metric_series(session, asked.runs, ["lr"]), asked.theme)


def _average_precision(session: Session, asked: Request) -> go.Figure:
    names = [*metrics.ACCURACIES] if len(asked.runs) == 1 else ["ap", "top1"]
    return metrics.average_precision(gather.metric_series(session, asked.runs, names), asked.theme)


def _own_metric(session: Session, asked: Request) -> go.Figure:
    return metrics.own_metric(
        asked.metric, gather.metric_series(session, asked.runs, [asked.metric]), asked.theme
    )


FIGURES: dict[str, Callable[[Session, Request], go.Figure]] = {
    "heatmap": _heatmap,
    "heatmap_difference": _heatmap_difference,
    "spectrum": _spectrum,
    "dimension_by_iteration": _by_iteration,
    "dimension_by_depth": _by_depth,
    "losses": _losses,
    "learning_rate": _learning_rate,
    "average_precision": _average_precision,
    "metric": _own_metric,
}


@router.get(
    "/figures/{name}", response_class=Response, responses={200: {"content": {"application/json": {}}}}
)
def figure(
    name: str,
    session: ReadSession,
    runs: Annotated[str, Query(max_length=200, description="Ids separated by commas.")],
    layer: Annotated[str, Query(max_length=200, description="A name of /runs/{id}/layers.")] = "",
    iteration: Annotated[int | None, Query(ge=0, description="Empty takes the last snapshot.")] = None,
    criterion: Annotated[str, Query(max_length=40)] = service.PAPER_CRITERION,
    threshold: Annotated[float | None, Query(description="Empty takes the criterion's own.")] = None,
    theme: Theme = "light",
    metric: Annotated[str, Query(max_length=100, description="Of the figure `metric`: which.")] = "",
    y: Annotated[
        Height, Query(description="Of the spectrum: what is drawn of each eigenvalue.")
    ] = "absolute",
    xs: Annotated[AxisKind, Query(description="Of the spectrum: the axis of indices.")] = "log",
    ys: Annotated[AxisKind | None, Query(description="Of the spectrum: the other axis.")] = None,
    band: Annotated[str, Query(max_length=200, description="A tag, or `tags`: runs drawn as one.")] = "",
    align: Annotated[
        Align, Query(description="By `progress`, `iteration` is the first run's.")
    ] = "iteration",
) -> Response:
    """Return a plotly figure: heatmap, heatmap_difference, spectrum, dimension_by_iteration,
    dimension_by_depth, losses, learning_rate, average_precision or metric.
    """
    if name not in FIGURES:
        raise NotFound(f"there is no figure '{name}'; take one of {', '.join(FIGURES)}")
    chosen = service.criterion_threshold(criterion, threshold)
    found = gather.figure_runs(gather.runs_of(session, gather.run_ids(runs)))
    asked = Request(found, layer, iteration, criterion, chosen, theme, metric, y, xs, ys, band, align)
    return Response(FIGURES[name](session, asked).to_json(), media_type="application/json")
