"""What one run measured, as the arrays that a comparison is computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from backend.measurements import repository
from backend.measurements.service import PAPER_THRESHOLD
from backend.models import Layer, Run, SpectrumSummary
from backend.spectra.dynamics import Floats, carried
from backend.spectra.precision import EPSILON, resolved


@dataclass(frozen=True)
class MeasuredRun:
    """A run's layers in network order, and (layers, snapshots) of what its spectra say by the paper's criterion.

    A layer that was not measured at a snapshot has the share that it had at the last before, NaN where there is none.
    """

    layers: tuple[Layer, ...]
    iterations: Floats
    shares: Floats
    """Dimensionality over width."""
    unresolved: NDArray[np.bool_]
    """Where λ_1 is too large for float32 to tell the threshold from rounding."""
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


def measured_run(session: Session, run: Run) -> MeasuredRun | None:
    """Return what the run's summaries say; None where it has no spectra."""
    s = SpectrumSummary
    mine = s.run_id == run.id
    counted = _columns(session, select(s.layer, s.iteration, s.dimensionality).where(mine))
    if counted is None:
        return None
    layers = tuple(repository.layers(session, run.id))
    widths = np.array([layer.width for layer in layers], np.float64)
    iterations = np.unique(counted[1])
    grid = _Grid(np.array([layer.order for layer in layers], np.float64), iterations)
    suspect = select(s.layer, s.iteration, s.lambda_1).where(
        mine, s.lambda_1 > 0.99 * PAPER_THRESHOLD / EPSILON
    )
    last = select(s.layer, s.iteration, s.positions).where(mine, s.iteration == int(iterations[-1]))
    return MeasuredRun(
        layers,
        iterations,
        carried(grid.filled(counted)) / widths[:, None],
        # Comparing with NaN says nothing is unresolved where nothing is suspect.
        ~resolved(PAPER_THRESHOLD, np.nan_to_num(grid.filled(_columns(session, suspect)))),
        grid.filled(_columns(session, last))[:, -1] / widths,
        max(run.iterations, float(iterations[-1]), 1.0),
        run.status in ("queued", "running"),
    )


@dataclass(frozen=True)
class _Grid:
    """Places of layers, by their order, and of snapshots."""

    orders: Floats
    iterations: Floats

    def filled(self, columns: tuple[Floats, Floats, Floats] | None) -> Floats:
        """Return (layers, snapshots) of values given as (order, iteration, value), NaN where there is none."""
        found = np.full((len(self.orders), len(self.iterations)), np.nan)
        if columns is not None:
            orders, iterations, values = columns
            rows = np.searchsorted(self.orders, orders)
            found[rows, np.searchsorted(self.iterations, iterations)] = values
        return found


def _columns(session: Session, query: Select[*tuple[Any, ...]]) -> tuple[Floats, Floats, Floats] | None:
    """Return the three columns of a query; None where it finds nothing."""
    # The connection's own rows: tens of thousands of the session's take twice as long.
    rows = session.connection().execute(query).all()
    if not rows:
        return None
    orders, iterations, values = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    return orders, iterations, values
