"""What a trainer hands over: plain records, the seam between torch and the database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

WALL_SECONDS = "wall_seconds"
"""The metric that says how many seconds after a run's start an iteration was done, pauses between attempts left out."""


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One probed map: `order` in the network from 0, `width` channels."""

    order: int
    name: str
    map: str
    stage: str
    width: int


@dataclass(frozen=True, slots=True)
class SpectrumRow:
    """One spectrum: `eigenvalues` of shape (width,), descending; the rest are float64 numbers of the same Σ."""

    layer: int
    eigenvalues: NDArray[np.floating[Any]]
    dimensionality: int
    trace: float
    lambda_1: float
    images: int
    positions: int


@dataclass(frozen=True, slots=True)
class PredictionRow:
    """What was found in one validation image, and what is there; `data` is as in `backend.models.Prediction`."""

    image_id: int
    data: dict[str, Any]


class CheckpointRow(NamedTuple):
    """One checkpoint that lies whole on disk: its `file` and what it takes there, in `bytes`.

    `kept_as` says why it is there: `last`, `best` (evaluation), `snapshot` (of the spectra), in this order.
    """

    iteration: int
    file: Path
    bytes: int
    kept_as: tuple[str, ...]
