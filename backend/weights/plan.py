"""What of a file goes where in a network: the answer that the form shows and the trainer carries out."""

from __future__ import annotations

from dataclasses import dataclass

from backend.weights.rows import Rows

COUNTER = "num_batches_tracked"
"""Batch norm's counter of batches: nothing uses it where there is a momentum, and older files lack it."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """One tensor of the network and the one of the file that it takes.

    `rows` reorders the outputs (see `backend.weights.rows`), `inputs` the input channels, with a factor on each (see
    `backend.weights.colours`); both are empty where the tensor is copied as it is.
    """

    key: str
    source: str
    rows: Rows = ()
    inputs: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """All transfers, and what they leave out on both sides; `name` is what messages call the file."""

    name: str
    naming: str
    transfers: tuple[Transfer, ...]
    missing: tuple[str, ...]
    """Tensors of the network that keep what they were drawn with, counters aside."""
    left_over: tuple[str, ...]
    """Tensors of the file that the network has no place for, counters aside."""
    notes: tuple[str, ...]
