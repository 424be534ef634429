"""What a run's spectra say at one iteration, map by map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.errors import InvalidInput
from backend.measurements.service import PAPER_CRITERION, PAPER_THRESHOLD, criterion_threshold
from backend.models import Layer, Spectrum, SpectrumSummary
from backend.spectra.criteria import CRITERIA, dimensionality
from backend.widths.groups import Measured


def chosen_iteration(session: Session, run_id: int, wanted: int | None) -> int:
    """Return the snapshot to use, the last where none is named; refuse one that was not logged, naming the nearest."""
    s = SpectrumSummary
    # Every snapshot holds every layer, so the first layer's rows are the snapshots.
    logged = session.scalars(
        select(s.iteration).where(s.run_id == run_id, s.layer == 0).order_by(s.iteration)
    ).all()
    if not logged:
        raise InvalidInput(
            f"run {run_id} has logged no spectra, so no widths can be taken from it; take a run with a probe"
        )
    if wanted is None:
        return logged[-1]
    if wanted not in logged:
        nearest = sorted(sorted(logged, key=lambda one: abs(one - wanted))[:2])
        raise InvalidInput(
            f"iteration: run {run_id} logged no spectra at {wanted}; the nearest are {', '.join(map(str, nearest))}"
        )
    return wanted


def threshold_of(criterion: str, threshold: float | None) -> float | None:
    """Return the threshold to use; refuse a criterion that counts no dimensions, beside what is refused everywhere."""
    chosen = criterion_threshold(criterion, threshold)
    if CRITERIA[criterion].unit != "dimensions":
        counting = ", ".join(name for name, info in CRITERIA.items() if info.unit == "dimensions")
        raise InvalidInput(
            f"the criterion {criterion} is a slope and no number of dimensions; take one of {counting}"
        )
    return chosen


def measured(
    session: Session, run_id: int, iteration: int, criterion: str, threshold: float | None
) -> dict[str, Measured]:
    """Return each map's dimensionality and positions per channel.

    Raises `InvalidInput` for a spectrum that is not finite.
    """
    s = SpectrumSummary
    same = (Layer.run_id == s.run_id) & (Layer.order == s.layer)
    rows = session.execute(
        select(Layer.order, Layer.name, Layer.width, s.dimensionality, s.positions)
        .join(s, same)
        .where(s.run_id == run_id, s.iteration == iteration)
        .order_by(Layer.order)
    ).all()
    if criterion == PAPER_CRITERION and threshold == PAPER_THRESHOLD:
        return {name: Measured(float(count), positions / width) for _, name, width, count, positions in rows}
    counted = _counted(session, run_id, iteration, criterion, threshold)
    found = {name: Measured(counted[order], positions / width) for order, name, width, _, positions in rows}
    _demand_finite(run_id, iteration, found)
    return found


def averaged(found: Sequence[dict[str, Measured]]) -> dict[str, Measured]:
    """Return the mean dimensionality and the least positions per channel of the maps that all runs have."""
    shared = [name for name in found[0] if all(name in one for one in found)]
    return {
        name: Measured(
            float(np.mean([one[name].dimensionality for one in found])),
            min(one[name].positions_per_channel for one in found),
        )
        for name in shared
    }


def _counted(
    session: Session, run_id: int, iteration: int, criterion: str, threshold: float | None
) -> dict[int, float]:
    rows = session.execute(
        select(Spectrum.layer, Spectrum.eigenvalues).where(
            Spectrum.run_id == run_id, Spectrum.iteration == iteration
        )
    ).all()
    name = CRITERIA[criterion].name
    return {layer: float(dimensionality(np.frombuffer(blob, "<f4"), name, threshold)) for layer, blob in rows}


def _demand_finite(run_id: int, iteration: int, found: dict[str, Measured]) -> None:
    broken = [name for name, one in found.items() if not np.isfinite(one.dimensionality)]
    if broken:
        raise InvalidInput(
            f"the spectrum of '{broken[0]}' of run {run_id} at iteration {iteration} is not finite; take another "
            "iteration"
        )
