"""Every layer's dimensionality at every step of a report's cursor, each run's own or the mean and band of some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from frontend import gather
from frontend.figures.quantity import Quantity, quantity
from frontend.figures.runs import FigureRun
from frontend.figures.seeds import mean_and_band
from frontend.report.cursor import Cursor
from frontend.report.move import Move, members, part, union_of_steps
from frontend.report.request import ReportRequest

Arrays = dict[str, NDArray[Any]]


def depth_moves(session: Session, asked: ReportRequest, cursor: Cursor, traces: Sequence[Any]) -> list[Move]:
    """Return what moves in a figure by depth."""
    kind = quantity(asked.criterion)
    found = []
    for place, trace in enumerate(traces):
        known = {run: _dimensions(session, run, asked) for run in members(trace)}
        if not known:
            continue
        own = [cursor.steps(run, one.iterations) for run, one in known.items()]
        steps = own[0] if len(own) == 1 else union_of_steps(own)
        if len(own) == 1:
            arrays = _of_run(next(iter(known.values())), kind)
        else:
            arrays = _of_group(known, kind, cursor, steps).get(part(trace), {})
        found.append(Move(place, steps, {name: a.astype(np.float32) for name, a in arrays.items()}))
    return found


def _dimensions(session: Session, run: int, asked: ReportRequest) -> gather.RunDimensions:
    return gather.dimensions(session, FigureRun(run, "", ""), asked.criterion, asked.chosen_threshold)


def _of_run(known: gather.RunDimensions, kind: Quantity) -> Arrays:
    widths = np.array([layer.width for layer in known.layers], np.float64)
    told = np.stack([known.values, np.broadcast_to(widths[:, None], known.values.shape)], axis=-1)
    return {"y": known.drawn(kind).T, "customdata": told.transpose(1, 0, 2)}


def _of_group(
    known: dict[int, gather.RunDimensions], kind: Quantity, cursor: Cursor, steps: Sequence[float]
) -> dict[str, Arrays]:
    """Return by part the mean and the band of the layers that all of the runs have alike."""
    first, *others = known.values()
    alike = [{(layer.name, layer.width) for layer in one.layers} for one in others]
    layers = [layer for layer in first.layers if all((layer.name, layer.width) in one for one in alike)]
    widths = np.array([layer.width for layer in layers], np.float64)
    values = np.stack(
        [
            one.values[[one.row(layer.name) or 0 for layer in layers]][
                :, cursor.columns(run, one.iterations, steps)
            ]
            for run, one in known.items()
        ]
    )
    _, band = mean_and_band(kind.drawn(values, widths[:, None]))
    mean = values.mean(axis=0)
    full = np.broadcast_to(widths[:, None], mean.shape)
    told = np.stack([mean, full, band.low, band.high], axis=-1)
    return {
        "": {"y": kind.drawn(mean, widths[:, None]).T, "customdata": told.transpose(1, 0, 2)},
        "low": {"y": band.low.T},
        "high": {"y": band.high.T},
    }
