"""The figure of AP by category."""

from __future__ import annotations

import plotly.graph_objects as go
from sqlalchemy.orm import Session

from backend.measurements import repository
from backend.measurements.category_metrics import KINDS, category_metric
from frontend import gather
from frontend.figure_request import FigureRequest
from frontend.figures.precision_by_category import CategoryBars, precision_by_category
from frontend.figures.runs import FigureRun


def build_precision_by_category(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw each run's last evaluation that is not later than the iteration; of one run masks beside boxes."""
    runs = gather.figure_runs(gather.runs_of(session, asked.run_ids))
    kinds = KINDS if len(runs) == 1 else KINDS[:1]
    found = [_bars(session, run, kind, asked.iteration) for run in runs for kind in kinds]
    return precision_by_category([one for one in found if one is not None], asked.theme)


def _bars(session: Session, run: FigureRun, kind: str, upto: int | None) -> CategoryBars | None:
    iteration = repository.last_iteration_of(session, run.id, f"{kind}/", upto)
    if iteration is None:
        return None
    values = {}
    for name, value in repository.metrics_at(session, run.id, f"{kind}/", iteration):
        metric = category_metric(name)
        if metric is not None and value is not None:
            values[metric.category] = value
    return CategoryBars(run, iteration, values, kind == KINDS[1]) if values else None
