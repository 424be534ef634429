"""What moves in a figure while a reader scrubs through iterations: for each trace its arrays, snapshot by snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.measurements.service import LayerSpectra, layer_spectra
from backend.spectra.criteria import Criterion, dimensionality
from backend.spectra.fit import fitted_power_law
from frontend import gather
from frontend.figures.quantity import quantity
from frontend.figures.runs import FigureRun
from frontend.report.contents import Panel
from frontend.report.packing import shortened
from frontend.report.request import ReportRequest


@dataclass(frozen=True)
class Move:
    """One trace's arrays at each of `iterations`: `arrays` by attribute, each with the snapshots as its first axis."""

    trace: int
    iterations: tuple[int, ...]
    arrays: dict[str, NDArray[Any]]


def moves(session: Session, panel: Panel, asked: ReportRequest, traces: Sequence[Any]) -> list[Move]:
    """Return what moves in the panel's figure, whose traces are given; nothing of a figure that stands still."""
    if panel.figure == "spectrum":
        return _of_spectrum(session, panel, asked, traces)
    return _of_depth(session, panel, asked, traces) if panel.figure == "dimension_by_depth" else []


def kept_snapshots(iterations: Sequence[int], start: int | None, count: int) -> list[int]:
    """Return the indices of at most `count` snapshots, evenly, with the first, the last and the one at `start`."""
    if len(iterations) <= count:
        return list(range(len(iterations)))
    kept = {round(k) for k in np.linspace(0, len(iterations) - 1, max(2, count - 1))}
    at = gather.last_at(iterations, start)
    return sorted(kept if at is None else kept | {at})


def thinned(move: Move, start: int | None, count: int) -> Move:
    """Return the move through fewer snapshots."""
    kept = kept_snapshots(move.iterations, start, count)
    arrays = {name: values[kept] for name, values in move.arrays.items()}
    return Move(move.trace, tuple(move.iterations[k] for k in kept), arrays)


def _of_spectrum(session: Session, panel: Panel, asked: ReportRequest, traces: Sequence[Any]) -> list[Move]:
    spectra: dict[int, LayerSpectra] = {}
    found = []
    for place, trace in enumerate(traces):
        run, part = _mark(trace)
        if run is None:
            continue
        if run not in spectra:
            spectra[run] = layer_spectra(session, run, panel.layer)
        one = spectra[run]
        arrays = _spectrum_arrays(part, one, asked)
        if arrays:
            found.append(Move(place, tuple(one.iterations.tolist()), arrays))
    return found


def _spectrum_arrays(part: str, one: LayerSpectra, asked: ReportRequest) -> dict[str, NDArray[Any]]:
    if part == "curve":
        return {"y": shortened(one.eigenvalues)}
    if part == "dimension":
        return _markers(one, _dimensions(one, asked))
    return _fits(one, _dimensions(one, asked), asked.chosen_threshold) if part == "fit" else {}


def _dimensions(one: LayerSpectra, asked: ReportRequest) -> NDArray[np.float64]:
    criterion = cast(Criterion, asked.criterion)
    return np.asarray(dimensionality(one.eigenvalues, criterion, asked.chosen_threshold), np.float64)


def _markers(one: LayerSpectra, dimensions: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    steps, width = one.eigenvalues.shape
    # As the figure rounds: half to even.
    ranks = np.clip(np.round(np.nan_to_num(dimensions)).astype(int), 1, width)
    heights = one.eigenvalues[np.arange(steps), ranks - 1]
    told = np.stack([one.iterations, dimensions, np.full(steps, width)], axis=-1)
    return {
        "x": np.maximum(dimensions, 1.0)[:, None],
        "y": heights[:, None],
        "customdata": told[:, None, :].astype(np.float64),
    }


def _fits(one: LayerSpectra, slopes: NDArray[np.float64], threshold: float | None) -> dict[str, NDArray[Any]]:
    steps = len(slopes)
    x, y = np.full((steps, 2), np.nan), np.full((steps, 2), np.nan)
    for step, values in enumerate(one.eigenvalues):
        fit = fitted_power_law(values, threshold)
        if fit is not None:
            x[step] = 1, fit.ranks
            y[step] = fit.at(1), fit.at(fit.ranks)
    told = np.stack([one.iterations, slopes, x[:, 1]], axis=-1)
    return {"x": x, "y": y, "customdata": np.repeat(told[:, None, :], 2, axis=1)}


def _of_depth(session: Session, panel: Panel, asked: ReportRequest, traces: Sequence[Any]) -> list[Move]:
    kind = quantity(asked.criterion)
    found = []
    for place, trace in enumerate(traces):
        run, _ = _mark(trace)
        if run is None:
            continue
        known = gather.dimensions(session, FigureRun(run, "", ""), asked.criterion, asked.chosen_threshold)
        widths = np.array([layer.width for layer in known.layers], np.float64)
        told = np.stack([known.values, np.broadcast_to(widths[:, None], known.values.shape)], axis=-1)
        arrays = {"y": known.drawn(kind).T, "customdata": told.transpose(1, 0, 2)}
        found.append(
            Move(place, known.iterations, {name: a.astype(np.float32) for name, a in arrays.items()})
        )
    return found


def _mark(trace: Any) -> tuple[int | None, str]:
    """Return which run a trace is of, None where it is of several or of none, and which part of it."""
    meta = trace.get("meta") or {}
    run = meta.get("run")
    return (run if isinstance(run, int) else None), str(meta.get("part", ""))
