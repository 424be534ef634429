"""Which spectra of a run drown an absolute threshold in float32's rounding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.measurements.remembered import remembered, stamp_of
from backend.models import SpectrumSummary
from backend.spectra.precision import EPSILON, resolved


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Of each such spectrum its layer's order, its iteration and its λ_1; three arrays by layer and iteration."""

    orders: NDArray[np.int64]
    iterations: NDArray[np.int64]
    lambda_1: NDArray[np.float64]

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        return self.orders.nbytes + self.iterations.nbytes + self.lambda_1.nbytes + 200


def unresolved(session: Session, run_id: int, threshold: float) -> Unresolved:
    """Return a run's spectra that do not resolve the threshold (`backend.spectra.precision`).

    It is found out once for the spectra that there are, and may not be changed.
    """
    key = ("unresolved", run_id, threshold)
    return remembered(session).get(key, stamp_of(session, run_id), lambda: _found(session, run_id, threshold))


def _found(session: Session, run_id: int, threshold: float) -> Unresolved:
    s = SpectrumSummary
    # A little wide: whether a spectrum is resolved is for `resolved` to say.
    suspect = (s.run_id == run_id) & (s.lambda_1 > 0.99 * threshold / EPSILON)
    query = select(s.layer, s.iteration, s.lambda_1).where(suspect).order_by(s.layer, s.iteration)
    rows = [tuple(row) for row in session.execute(query)]
    orders, iterations, largest = np.array(rows, np.float64).reshape(-1, 3).T
    drowned = ~resolved(threshold, largest)
    found = Unresolved(
        orders[drowned].astype(np.int64), iterations[drowned].astype(np.int64), largest[drowned]
    )
    for array in (found.orders, found.iterations, found.lambda_1):
        array.flags.writeable = False
    return found
