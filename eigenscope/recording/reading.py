"""Reads a recording's file back into arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from backend.errors import InvalidInput
from backend.measurements import recording
from backend.measurements.records import LayerRow
from backend.measurements.service import Series
from eigenscope.recording import layout
from eigenscope.recording.recorder import Setting


@dataclass(frozen=True, slots=True)
class RecordedSpectra:
    """One layer's T spectra by rising iteration; arrays of shape (T,) but `eigenvalues`, which is (T, width).

    `eigenvalues` are float32, each row descending. `dimensionality` is the number of those above 1e-3, counted in
    float64.
    """

    layer: LayerRow
    iterations: NDArray[np.int64]
    eigenvalues: NDArray[np.float32]
    dimensionality: NDArray[np.int64]
    trace: NDArray[np.float64]
    lambda_1: NDArray[np.float64]
    images: NDArray[np.int64]
    positions: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording: `spectra` by layer in network order, `metrics` by name.

    `status` is running, succeeded, failed or cancelled; a program that was killed leaves its recording running.
    `cut_off` tells that the last write was not whole; what was written before it is here.
    """

    name: str
    tags: tuple[str, ...]
    iterations: int
    init: str
    settings: dict[str, Setting]
    status: str
    error: str | None
    cut_off: bool
    spectra: dict[str, RecordedSpectra]
    metrics: dict[str, Series]


def read_recording(path: str | Path) -> Recording:
    """Read what a `FileRecorder` wrote, also while it still writes; of what stands twice the later counts.

    Raises `InvalidInput` where the file is no recording, `Unavailable` where it cannot be read.
    """
    whole = layout.read_whole(Path(path))
    request = whole.request
    collected = _Collected([LayerRow(**layer.model_dump()) for layer in request.layers])
    try:
        for batch in whole.batches:
            collected.add(batch)
    except InvalidInput as error:
        raise InvalidInput(f"{path} is damaged: {error}") from None
    return Recording(
        name=request.name,
        tags=request.tags,
        iterations=request.iterations,
        init=request.init.kind,
        settings=dict(request.settings),
        status=collected.status,
        error=collected.error,
        cut_off=whole.cut_off,
        spectra=collected.stacked(),
        metrics={name: _series(points) for name, points in collected.scalars.items()},
    )


class _Collected:
    """What the batches read so far hold."""

    def __init__(self, layers: Sequence[LayerRow]) -> None:
        self._layers = {layer.name: layer for layer in sorted(layers, key=lambda layer: layer.order)}
        self._records: dict[str, dict[int, recording.Record]] = {name: {} for name in self._layers}
        self.scalars: dict[str, dict[int, float | None]] = {}
        self.status = "running"
        self.error: str | None = None

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in one write."""
        records = recording.from_batch(_of_kind(batch, layout.SPECTRUM, recording.SCHEMA.names))
        recording.rows(records, self._layers)
        for record in records:
            self._records[record.layer][record.iteration] = record
        for point in _of_kind(batch, layout.METRIC, ["metric", "iteration", "value"]).to_pylist():
            self.scalars.setdefault(point["metric"], {})[point["iteration"]] = point["value"]
        # What follows an end was written by a training that went on.
        self.status, self.error = "running", None
        for end in _of_kind(batch, layout.END, ["status", "error"]).to_pylist():
            self.status, self.error = end["status"], end["error"]

    def stacked(self) -> dict[str, RecordedSpectra]:
        """Return each layer's spectra, in network order."""
        return {name: _stacked(layer, self._records[name]) for name, layer in self._layers.items()}


def _of_kind(batch: pa.RecordBatch, kind: str, columns: Sequence[str]) -> pa.RecordBatch:
    return batch.filter(pc.equal(batch.column("kind"), kind)).select(columns)


def _stacked(layer: LayerRow, records: dict[int, recording.Record]) -> RecordedSpectra:
    rows = [records[iteration] for iteration in sorted(records)]
    counts = ("dimensionality", "images", "positions")
    return RecordedSpectra(
        layer=layer,
        iterations=np.array(sorted(records), np.int64),
        eigenvalues=np.array([row.eigenvalues for row in rows], np.float32).reshape(len(rows), layer.width),
        trace=np.array([row.trace for row in rows], np.float64),
        lambda_1=np.array([row.lambda_1 for row in rows], np.float64),
        **{name: np.array([getattr(row, name) for row in rows], np.int64) for name in counts},
    )


def _series(points: dict[int, float | None]) -> Series:
    iterations = tuple(sorted(points))
    return Series(iterations, tuple(points[iteration] for iteration in iterations))
