"""The shape of two runs' spectra at the snapshots compared."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.comparison.schemas import Slopes, Spectra
from backend.comparison.spectra import by_stage
from backend.models import Layer, Spectrum
from backend.spectra.criteria import dimensionality


class Fitted(NamedTuple):
    """One layer's stage and power-law slope."""

    stage: str
    slope: float


def compared_slopes(session: Session, run_ids: tuple[int, int], spectra: Spectra) -> Slopes | None:
    """Compare the slopes of the layers that have one in both runs; None without any."""
    ends = (spectra.first.end_iteration, spectra.second.end_iteration)
    one, other = (fitted(session, *which) for which in zip(run_ids, ends, strict=True))
    common = [name for name in one if name in other]
    if not common:
        return None
    first, second = (np.array([its[name].slope for name in common]) for its in (one, other))
    return Slopes(
        layers=len(common),
        first=float(first.mean()),
        second=float(second.mean()),
        stages=by_stage([one[name].stage for name in common], first, second),
    )


def fitted(session: Session, run_id: int, iteration: int) -> dict[str, Fitted]:
    """Return each layer that has a slope at a snapshot, by name, in network order."""
    rows = session.execute(
        select(Layer.name, Layer.stage, Layer.width, Spectrum.eigenvalues)
        .join(Spectrum, (Spectrum.run_id == Layer.run_id) & (Spectrum.layer == Layer.order))
        .where(Layer.run_id == run_id, Spectrum.iteration == iteration)
        .order_by(Layer.order)
    ).all()
    slopes = np.full(len(rows), np.nan)
    for width in {row.width for row in rows}:
        its = [k for k, row in enumerate(rows) if row.width == width]
        # Layers of one width at once: a call for each would take ten times as long.
        values = np.frombuffer(b"".join(rows[k].eigenvalues for k in its), "<f4").reshape(-1, width)
        slopes[its] = dimensionality(values, "power_law")
    return {
        row.name: Fitted(row.stage, float(slope))
        for row, slope in zip(rows, slopes, strict=True)
        if np.isfinite(slope)
    }
