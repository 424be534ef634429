"""A layer's spectra at every step of a report's cursor, each run's own or the mean and band of some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.measurements.service import LayerSpectra, layer_spectra
from backend.spectra.criteria import Criterion, dimensionality
from backend.spectra.fit import fitted_power_law
from frontend.figures.spectrum_band import mean_spectrum
from frontend.figures.spectrum_scale import SpectrumScale
from frontend.report.cursor import Cursor
from frontend.report.move import Move, members, part, union_of_steps
from frontend.report.packing import shortened
from frontend.report.request import ReportRequest

Arrays = dict[str, NDArray[Any]]


class Spectra:
    """The spectra of one layer, each run's read and counted once."""

    def __init__(self, session: Session, layer: str, asked: ReportRequest) -> None:
        self._session, self._layer, self._asked = session, layer, asked
        self._read: dict[int, LayerSpectra] = {}
        self.scale = SpectrumScale(asked.view.parameters["y"])
        self.threshold = asked.chosen_threshold

    def of(self, run: int) -> LayerSpectra:
        """Return a run's spectra."""
        if run not in self._read:
            self._read[run] = layer_spectra(self._session, run, self._layer)
        return self._read[run]

    def dimensions(self, run: int) -> NDArray[np.float64]:
        """Return a run's dimensionalities, shape (snapshots,)."""
        criterion = cast(Criterion, self._asked.criterion)
        return np.asarray(dimensionality(self.of(run).eigenvalues, criterion, self.threshold), np.float64)


def spectrum_moves(
    session: Session, layer: str, asked: ReportRequest, cursor: Cursor, traces: Sequence[Any]
) -> list[Move]:
    """Return what moves in a figure of spectra."""
    spectra = Spectra(session, layer, asked)
    groups: dict[tuple[int, ...], tuple[tuple[float, ...], dict[str, Arrays]]] = {}
    found = []
    for place, trace in enumerate(traces):
        runs = tuple(members(trace))
        if len(runs) == 1:
            steps = cursor.steps(runs[0], spectra.of(runs[0]).iterations.tolist())
            arrays = _of_run(part(trace), runs[0], spectra)
        elif runs:
            if runs not in groups:
                groups[runs] = _of_group(runs, spectra, cursor)
            steps, parts = groups[runs]
            arrays = parts.get(part(trace), {})
        else:
            continue
        if arrays:
            found.append(Move(place, steps, arrays))
    return found


def _of_run(which: str, run: int, spectra: Spectra) -> Arrays:
    one = spectra.of(run)
    if which == "curve":
        return {"y": shortened(_heights(one, spectra.scale))}
    if which == "dimension":
        return _markers(one, spectra.dimensions(run), spectra.scale)
    return _fits(one, spectra.dimensions(run), spectra) if which == "fit" else {}


def _heights(one: LayerSpectra, scale: SpectrumScale) -> NDArray[np.float32]:
    return scale.drawn(one.eigenvalues).astype(np.float32)


def _markers(one: LayerSpectra, dimensions: NDArray[np.float64], scale: SpectrumScale) -> Arrays:
    steps, width = one.eigenvalues.shape
    # As the figure rounds: half to even.
    ranks = np.clip(np.round(np.nan_to_num(dimensions)).astype(int), 1, width)
    heights = _heights(one, scale)[np.arange(steps), ranks - 1]
    told = np.stack([one.iterations, dimensions, np.full(steps, width)], axis=-1)
    return {
        "x": np.maximum(dimensions, 1.0)[:, None],
        "y": heights[:, None],
        "customdata": told[:, None, :].astype(np.float64),
    }


def _fits(one: LayerSpectra, slopes: NDArray[np.float64], spectra: Spectra) -> Arrays:
    if spectra.scale.height == "cumulative":
        return {}
    steps = len(slopes)
    x, y = np.full((steps, 2), np.nan), np.full((steps, 2), np.nan)
    for step, values in enumerate(one.eigenvalues):
        fit = fitted_power_law(values, spectra.threshold)
        if fit is not None:
            whole = float(values[0]) if spectra.scale.height == "relative" else 1.0
            x[step] = 1, fit.ranks
            y[step] = fit.at(1) / whole, fit.at(fit.ranks) / whole
    told = np.stack([one.iterations, slopes, x[:, 1]], axis=-1)
    return {"x": x, "y": y, "customdata": np.repeat(told[:, None, :], 2, axis=1)}


def _of_group(
    runs: Sequence[int], spectra: Spectra, cursor: Cursor
) -> tuple[tuple[float, ...], dict[str, Arrays]]:
    """Return the steps of all of these runs, and the arrays of their mean and band by part."""
    iterations = [spectra.of(run).iterations.tolist() for run in runs]
    steps = union_of_steps([cursor.steps(run, own) for run, own in zip(runs, iterations, strict=True)])
    columns = [cursor.columns(run, own, steps) for run, own in zip(runs, iterations, strict=True)]
    means = [
        mean_spectrum(
            [spectra.of(run).eigenvalues[at] for run, at in zip(runs, row, strict=True)], spectra.scale
        )
        for row in zip(*columns, strict=True)
    ]
    lines = {
        "curve": np.stack([one.mean for one in means]),
        "low": np.stack([one.low for one in means]),
        "high": np.stack([one.high for one in means]),
    }
    parts: dict[str, Arrays] = {
        name: {"y": shortened(values.astype(np.float32))} for name, values in lines.items()
    }
    counted = np.stack([spectra.dimensions(run)[at] for run, at in zip(runs, columns, strict=True)])
    parts["dimension"] = _mean_markers(counted, lines["curve"])
    return steps, parts


def _mean_markers(counted: NDArray[np.float64], means: NDArray[np.float64]) -> Arrays:
    """Return the mean dimensionality on the mean line; `counted` is (runs, steps), `means` (steps, width)."""
    d = counted.mean(axis=0)
    steps, width = means.shape
    # As the band's figure rounds: half upwards.
    places = np.clip(np.floor(np.nan_to_num(d) + 0.5), 1, width).astype(int) - 1
    told = np.stack([d, counted.min(axis=0), counted.max(axis=0), np.full(steps, width)], axis=-1)
    return {
        "x": np.maximum(d, 1.0)[:, None],
        "y": means[np.arange(steps), places][:, None],
        "customdata": told[:, None, :],
    }
