"""Each run's dimensionality of the chosen layers, to be read at the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from backend.models import Run
from frontend import gather
from frontend.figures.quantity import quantity
from frontend.report.request import ReportRequest

DIGITS = 6


@dataclass(frozen=True)
class Reading:
    """One run's numbers of one layer, None where there is none."""

    layer: str
    run: int
    iterations: tuple[int, ...]
    values: tuple[float | None, ...]
    width: int
    slope: bool

    def packed(self) -> dict[str, Any]:
        """Return what the report's script reads."""
        return asdict(self)


def readings(
    session: Session, runs: Sequence[Run], layers: Sequence[str], asked: ReportRequest
) -> list[Reading]:
    """Return the readings of all runs that have one of the layers."""
    found = []
    slope = not quantity(asked.criterion).of_width
    for run in gather.figure_runs(runs):
        known = gather.dimensions(session, run, asked.criterion, asked.chosen_threshold)
        for layer in layers:
            row = known.row(layer)
            if row is not None:
                values = tuple(_rounded(value) for value in known.values[row].tolist())
                width = known.layers[row].width
                found.append(Reading(layer, run.id, known.iterations, values, width, slope))
    return found


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else float(f"{value:.{DIGITS}g}")
