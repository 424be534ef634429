"""Questions about what a run measured, answered as numpy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.errors import InvalidInput, NotFound
from backend.measurements import repository, stacks
from backend.measurements.remembered import Stamp, remembered, stamp_of
from backend.models import Layer
from backend.spectra.criteria import CRITERIA, dimensionality

PAPER_CRITERION: Final = "absolute"
PAPER_THRESHOLD = 1e-3
Counted = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""Layers' orders, iterations and numbers, one of each for every spectrum."""
MOST_CELLS = 4_000_000
"""Layers times snapshots of one run's dimensionalities: what an answer or a figure can hold."""
MOST_EIGENVALUES = 2**26
"""Of one layer in one answer: 256 MB of float32."""


@dataclass(frozen=True, slots=True)
class LayerSpectra:
    """One layer's dynamics: `iterations` (T,), `eigenvalues` float32 (T, width), each row descending."""

    layer: str
    width: int
    iterations: NDArray[np.int32]
    eigenvalues: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Dimensions:
    """`values` float64 (layers, iterations), NaN where a layer has no spectrum at an iteration."""

    layers: tuple[str, ...]
    stages: tuple[str, ...]
    maps: tuple[str, ...]
    widths: tuple[int, ...]
    iterations: tuple[int, ...]
    values: NDArray[np.float64]
    positions_per_channel: tuple[float | None, ...]
    criterion: str
    threshold: float | None

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        return self.values.nbytes + 200 * len(self.layers)


@dataclass(frozen=True, slots=True)
class Series:
    """One metric: `values[i]` belongs to `iterations[i]`; null where it was not finite."""

    iterations: tuple[int, ...]
    values: tuple[float | None, ...]


def layer_named(session: Session, run_id: int, name: str) -> Layer:
    """Return the run's layer of that name, or say which there are."""
    layer = repository.layer(session, run_id, name)
    if layer is not None:
        return layer
    found = repository.layers(session, run_id)
    if not found:
        raise NotFound(f"run {run_id} has logged no layers yet; wait for its first snapshot")
    raise NotFound(
        f"run {run_id} has no layer '{name}'; its {len(found)} layers run from '{found[0].name}' to "
        f"'{found[-1].name}' (see /api/v1/runs/{run_id}/layers)"
    )


def layer_spectra(session: Session, run_id: int, name: str, after: int = -1) -> LayerSpectra:
    """Return all spectra of one layer later than iteration `after`."""
    layer = layer_named(session, run_id, name)
    count = repository.spectra_count(session, run_id, layer.order, after)
    if count * layer.width > MOST_EIGENVALUES:
        raise InvalidInput(
            f"layer '{name}' of run {run_id} has {count:,} spectra of {layer.width:,} eigenvalues, which are too many "
            "for one answer; ask for the later ones (after=…), or read the run's export"
        )
    rows = repository.spectra(session, run_id, layer.order, after)
    values = np.frombuffer(b"".join(blob for _, blob in rows), "<f4").reshape(len(rows), layer.width)
    iterations = np.array([i for i, _ in rows], np.int32)
    return LayerSpectra(layer.name, layer.width, iterations, values)


def criterion_threshold(criterion: str, threshold: float | None) -> float | None:
    """Return the threshold to use, or refuse an unknown criterion or a threshold that is not positive."""
    if criterion not in CRITERIA:
        raise InvalidInput(f"there is no criterion '{criterion}'; take one of {', '.join(CRITERIA)}")
    default = CRITERIA[criterion].default_threshold
    if default is None:
        return None
    chosen = default if threshold is None else threshold
    if not np.isfinite(chosen) or chosen <= 0:
        raise InvalidInput(f"the threshold {chosen} of criterion {criterion} must be a positive number")
    if CRITERIA[criterion].fraction and chosen > 1:
        raise InvalidInput(
            f"the threshold {chosen} of criterion {criterion} is a fraction and must not exceed 1"
        )
    return chosen


def dimensions(
    session: Session, run_id: int, criterion: str = PAPER_CRITERION, threshold: float | None = None
) -> Dimensions:
    """Return the dimensionality of every layer at every iteration under a criterion of `backend.spectra`.

    It is computed once for the spectra that there are, and may not be changed.
    """
    chosen = criterion_threshold(criterion, threshold)
    stamp = stamp_of(session, run_id)
    return remembered(session).get(
        (run_id, criterion, chosen), stamp, lambda: _dimensions(session, run_id, criterion, chosen, stamp)
    )


def _dimensions(
    session: Session, run_id: int, criterion: str, chosen: float | None, stamp: Stamp
) -> Dimensions:
    layers = repository.layers(session, run_id)
    _, snapshots = repository.counts(session, [run_id]).get(run_id, (0, 0))
    if len(layers) * snapshots > MOST_CELLS:
        raise InvalidInput(
            f"run {run_id} has {len(layers):,} layers at {snapshots:,} snapshots, which are too many for one answer or "
            "figure; look at single layers, and measure fewer of them or less often"
        )
    if criterion == PAPER_CRITERION and chosen == PAPER_THRESHOLD:
        found = _counted_when_measured(session, run_id)
    else:
        found = _counted_now(session, run_id, criterion, chosen, stamp)
    iterations, values = _table(found, {layer.order: k for k, layer in enumerate(layers)})
    values.flags.writeable = False
    return Dimensions(
        layers=tuple(layer.name for layer in layers),
        stages=tuple(layer.stage for layer in layers),
        maps=tuple(layer.map for layer in layers),
        widths=tuple(layer.width for layer in layers),
        iterations=iterations,
        values=values,
        positions_per_channel=_positions_per_channel(session, run_id, layers),
        criterion=criterion,
        threshold=chosen,
    )


def _counted_when_measured(session: Session, run_id: int) -> Counted:
    layers, iterations, values = [], [], []
    for layer, when, counts in repository.dimensionalities(session, run_id):
        layers.append(np.full(len(when), layer))
        iterations.append(when)
        values.append(counts.astype(np.float64))
    return _together(layers, iterations, values)


def _counted_now(
    session: Session, run_id: int, criterion: str, threshold: float | None, stamp: Stamp
) -> Counted:
    layers, iterations, values = [], [], []
    for one in stacks.of_run(session, run_id, stamp):
        layers.append(np.full(len(one.iterations), one.layer))
        iterations.append(np.array(one.iterations))
        values.append(dimensionality(one.eigenvalues, CRITERIA[criterion].name, threshold))
    return _together(layers, iterations, values)


def _together(
    layers: list[NDArray[np.int64]], iterations: list[NDArray[np.int64]], values: list[NDArray[np.float64]]
) -> Counted:
    if not layers:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    return np.concatenate(layers), np.concatenate(iterations), np.concatenate(values)


def _table(found: Counted, row_of: dict[int, int]) -> tuple[tuple[int, ...], NDArray[np.float64]]:
    """Return the iterations, rising, and a value for each layer's row at each of them."""
    layers, when, numbers = found
    iterations, columns = np.unique(when, return_inverse=True)
    orders, which = np.unique(layers, return_inverse=True)
    rows = np.array([row_of[order] for order in orders.tolist()], np.int64)
    values = np.full((len(row_of), len(iterations)), np.nan)
    if len(numbers):
        values[rows[which], columns] = numbers
    return tuple(iterations.tolist()), values


def _positions_per_channel(
    session: Session, run_id: int, layers: Sequence[Layer]
) -> tuple[float | None, ...]:
    latest = repository.latest_positions(session, run_id)
    return tuple(latest[layer.order] / layer.width if layer.order in latest else None for layer in layers)


def metrics(session: Session, run_id: int, names: Sequence[str] = (), after: int = -1) -> dict[str, Series]:
    """Return the run's metrics by name; no names means all."""
    collected: dict[str, tuple[list[int], list[float | None]]] = {}
    for name, iteration, value in repository.metrics(session, run_id, names, after):
        iterations, values = collected.setdefault(name, ([], []))
        iterations.append(iteration)
        values.append(value)
    return {name: Series(tuple(i), tuple(v)) for name, (i, v) in collected.items()}
