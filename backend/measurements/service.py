"""Questions about what a run measured, answered as numpy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.errors import InvalidInput, NotFound
from backend.measurements import repository
from backend.measurements.remembered import remembered, stamp_of
from backend.models import Layer
from backend.spectra.criteria import CRITERIA, dimensionality

PAPER_CRITERION: Final = "absolute"
PAPER_THRESHOLD = 1e-3
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
    found = repository.layers(session, run_id)
    for layer in found:
        if layer.name == name:
            return layer
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
    return remembered(session).get(
        (run_id, criterion, chosen),
        stamp_of(session, run_id),
        lambda: _dimensions(session, run_id, criterion, chosen),
    )


def _dimensions(session: Session, run_id: int, criterion: str, chosen: float | None) -> Dimensions:
    layers = repository.layers(session, run_id)
    _, snapshots = repository.counts(session, [run_id]).get(run_id, (0, 0))
    if len(layers) * snapshots > MOST_CELLS:
        raise InvalidInput(
            f"run {run_id} has {len(layers):,} layers at {snapshots:,} snapshots, which are too many for one answer or "
            "figure; look at single layers, and measure fewer of them or less often"
        )
    summaries = repository.summaries(session, run_id)
    iterations = tuple(sorted({row[1] for row in summaries}))
    column = {iteration: k for k, iteration in enumerate(iterations)}
    row_of = {layer.order: k for k, layer in enumerate(layers)}
    values = np.full((len(layers), len(iterations)), np.nan)
    if criterion == PAPER_CRITERION and chosen == PAPER_THRESHOLD:
        for layer, iteration, count, _, _ in summaries:
            values[row_of[layer], column[iteration]] = count
    else:
        _fill_from_spectra(session, run_id, criterion, chosen, values, row_of, column)
    values.flags.writeable = False
    return Dimensions(
        layers=tuple(layer.name for layer in layers),
        stages=tuple(layer.stage for layer in layers),
        maps=tuple(layer.map for layer in layers),
        widths=tuple(layer.width for layer in layers),
        iterations=iterations,
        values=values,
        positions_per_channel=_positions_per_channel(layers, summaries),
        criterion=criterion,
        threshold=chosen,
    )


def _fill_from_spectra(
    session: Session,
    run_id: int,
    criterion: str,
    threshold: float | None,
    values: NDArray[np.float64],
    row_of: dict[int, int],
    column: dict[int, int],
) -> None:
    by_layer: dict[int, tuple[list[int], list[bytes]]] = {}
    for layer, iteration, blob in repository.all_spectra(session, run_id):
        iterations, blobs = by_layer.setdefault(layer, ([], []))
        iterations.append(column[iteration])
        blobs.append(blob)
    for layer, (columns, blobs) in by_layer.items():
        spectra = np.frombuffer(b"".join(blobs), "<f4").reshape(len(blobs), -1)
        values[row_of[layer], columns] = dimensionality(spectra, CRITERIA[criterion].name, threshold)


def _positions_per_channel(
    layers: Sequence[Layer], summaries: Sequence[tuple[int, int, int, int, int]]
) -> tuple[float | None, ...]:
    latest = {layer: positions for layer, _, _, _, positions in summaries}
    return tuple(latest[layer.order] / layer.width if layer.order in latest else None for layer in layers)


def metrics(session: Session, run_id: int, names: Sequence[str] = (), after: int = -1) -> dict[str, Series]:
    """Return the run's metrics by name; no names means all."""
    collected: dict[str, tuple[list[int], list[float | None]]] = {}
    for name, iteration, value in repository.metrics(session, run_id, names, after):
        iterations, values = collected.setdefault(name, ([], []))
        iterations.append(iteration)
        values.append(value)
    return {name: Series(tuple(i), tuple(v)) for name, (i, v) in collected.items()}
