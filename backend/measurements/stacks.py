"""All spectra of a run as matrices, one a layer: read once, then asked by any criterion at any threshold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.measurements import repository
from backend.measurements.remembered import Remembered, Stamp

ROOM = 160 * 2**20
"""Bytes of spectra kept of each database: those of four runs of 80 layers and 200 snapshots."""
LARGEST = ROOM // 2
"""Bytes of a run that is kept; a larger one is read again each time, layer by layer."""


@dataclass(frozen=True, slots=True)
class LayerStack:
    """A layer's snapshots: `iterations` rising, `eigenvalues` float32 (T, C), each row descending, read-only."""

    layer: int
    iterations: tuple[int, ...]
    eigenvalues: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stack:
    """The layers of a run, in network order."""

    layers: tuple[LayerStack, ...]

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        return sum(one.eigenvalues.nbytes + 40 * len(one.iterations) for one in self.layers)


_BY_ENGINE: WeakKeyDictionary[Any, Remembered] = WeakKeyDictionary()


def of_run(session: Session, run_id: int, stamp: Stamp) -> Iterator[LayerStack]:
    """Yield a run's layers in network order, from what is kept of them as long as the stamp is the same."""
    if repository.bytes_of_spectra(session, run_id) > LARGEST:
        yield from _read(session, run_id)
        return
    kept = _BY_ENGINE.setdefault(session.get_bind().engine, Remembered(ROOM))
    yield from kept.get(run_id, stamp, lambda: Stack(tuple(_read(session, run_id)))).layers


def _read(session: Session, run_id: int) -> Iterator[LayerStack]:
    # Whole columns at a time: a loop over rows takes longer than what is done with them.
    reading: int | None = None
    iterations: list[int] = []
    blobs: list[bytes] = []
    for rows in repository.spectra_in_parts(session, run_id):
        orders, when, values = zip(*rows, strict=True)
        for layer, part in _parts(orders):
            if layer != reading and reading is not None:
                yield _stacked(reading, iterations, blobs)
                iterations, blobs = [], []
            reading = layer
            iterations += when[part]
            blobs += values[part]
    if reading is not None:
        yield _stacked(reading, iterations, blobs)


def _parts(orders: Sequence[int]) -> Iterator[tuple[int, slice]]:
    first = 0
    for layer, same in groupby(orders):
        last = first + sum(1 for _ in same)
        yield layer, slice(first, last)
        first = last


def _stacked(layer: int, iterations: Sequence[int], blobs: Sequence[bytes]) -> LayerStack:
    eigenvalues = np.frombuffer(b"".join(blobs), "<f4").reshape(len(blobs), -1)
    return LayerStack(layer, tuple(iterations), eigenvalues)
