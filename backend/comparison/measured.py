"""What one run measured, as the arrays that a comparison is computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from backend.measurements import repository
from backend.measurements.service import PAPER_CRITERION, PAPER_THRESHOLD, dimensions
from backend.measurements.unresolved import unresolved
from backend.models import Layer, Run, SpectrumSummary
from backend.spectra.dynamics import Floats, carried


@dataclass(frozen=True)
class MeasuredRun:
    """A run's layers in network order, and (layers, snapshots) of what its spectra say by a criterion.

    A layer that was not measured at a snapshot has the share that it had at the last before, NaN where there is none.
    """

    layers: tuple[Layer, ...]
    iterations: Floats
    shares: Floats
    """Dimensionality over width."""
    unresolved: NDArray[np.bool_]
    """Where λ_1 is too large for float32 to tell the absolute criterion's threshold from rounding."""
    positions_per_channel: Floats
    """(layers,), at the last snapshot; NaN where a layer was not measured then."""
    length: float
    """Of the training in iterations: as planned, or, where nobody said, as far as was measured."""
    live: bool
    """Whether more may come."""

    @property
    def row(self) -> dict[str, int]:
        """Each layer's row by its name."""
        return {layer.name: k for k, layer in enumerate(self.layers)}

    @property
    def progress(self) -> Floats:
        """Of each snapshot, as a share of the training."""
        return self.iterations / self.length


def measured_run(
    session: Session, run: Run, criterion: str = PAPER_CRITERION, threshold: float | None = PAPER_THRESHOLD
) -> MeasuredRun | None:
    """Return what the run's spectra say by a criterion that counts dimensions; None where it has no spectra."""
    s = SpectrumSummary
    layers = tuple(repository.layers(session, run.id))
    orders = np.array([layer.order for layer in layers], np.float64)
    found = dimensions(session, run.id, criterion, threshold)
    if not found.iterations:
        return None
    grid = _Grid(orders, np.array(found.iterations, np.float64))
    iterations = grid.iterations
    widths = np.array([layer.width for layer in layers], np.float64)
    last = s.iteration == int(iterations[-1])
    return MeasuredRun(
        layers,
        iterations,
        carried(found.values) / widths[:, None],
        _unresolved(session, run.id, grid, threshold if criterion == PAPER_CRITERION else None),
        grid.filled(_cells(session, run.id, s.positions, last))[:, -1] / widths,
        max(run.iterations, float(iterations[-1]), 1.0),
        run.status in ("queued", "running"),
    )


@dataclass(frozen=True)
class _Cells:
    """Numbers of some spectra, with their layers' orders and iterations; all of one length."""

    orders: Floats
    iterations: Floats
    values: Floats


@dataclass(frozen=True)
class _Grid:
    """Places of layers, by their order, and of snapshots."""

    orders: Floats
    iterations: Floats

    def filled(self, cells: _Cells) -> Floats:
        """Return the numbers as (layers, snapshots), NaN where there is none."""
        found = np.full((len(self.orders), len(self.iterations)), np.nan)
        rows = np.searchsorted(self.orders, cells.orders)
        found[rows, np.searchsorted(self.iterations, cells.iterations)] = cells.values
        return found


def _unresolved(session: Session, run_id: int, grid: _Grid, threshold: float | None) -> NDArray[np.bool_]:
    """Return where λ_1 drowns an absolute threshold in rounding, (layers, snapshots); nowhere without one."""
    if threshold is None:
        return np.zeros((len(grid.orders), len(grid.iterations)), np.bool_)
    found = unresolved(session, run_id, threshold)
    cells = _Cells(found.orders.astype(np.float64), found.iterations.astype(np.float64), found.lambda_1)
    return np.isfinite(grid.filled(cells))


def _cells(
    session: Session, run_id: int, column: InstrumentedAttribute[Any], where: ColumnElement[bool]
) -> _Cells:
    """Return a column of some spectra of a run."""
    s = SpectrumSummary
    rows = session.execute(select(s.layer, s.iteration, column).where(s.run_id == run_id, where)).all()
    return _Cells(*np.array([tuple(row) for row in rows], np.float64).reshape(-1, 3).T)
