"""What makes a plan doubtful: told with it, in one sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.measurements.service import PAPER_CRITERION
from backend.models import Layer, Run, SpectrumSummary
from backend.spectra.positions import FEW_POSITIONS
from backend.spectra.precision import float32_floor, resolved
from backend.widths.groups import Group


def doubts(
    session: Session,
    snapshots: Sequence[tuple[Run, int]],
    groups: Sequence[Group],
    criterion: str,
    threshold: float | None,
) -> list[str]:
    """Return why the dimensionalities at these snapshots (run, iteration) may mislead; none where nothing speaks so."""
    few = few_positions({group.name: group.positions_per_channel for group in groups})
    found = [*_unfinished(snapshots), *([few] if few else [])]
    if criterion == PAPER_CRITERION and threshold is not None:
        names = [name for group in groups for name in group.layers]
        found += _unresolved(session, snapshots, names, threshold)
    return found


def _unfinished(snapshots: Sequence[tuple[Run, int]]) -> Iterator[str]:
    for run, iteration in snapshots:
        if iteration == 0 and run.specification["init"]["kind"] == "scratch":
            yield (
                f"Run {run.id} was untrained at iteration 0: its spectra tell of random weights; take a later one."
            )
        elif run.status != "succeeded":
            yield (
                f"Run {run.id} is {run.status}, at {run.iteration:,} of {run.iterations:,} iterations: its spectra "
                "may still change; take a run that was trained to its end."
            )


def few_positions(positions_per_channel: Mapping[str, float]) -> str | None:
    """Return the warning where groups, by name, were measured with few positions; None where none was."""
    few = {name: found for name, found in positions_per_channel.items() if found < FEW_POSITIONS}
    if not few:
        return None
    worst = min(few, key=lambda name: few[name])
    return (
        f"{len(few)} of {len(positions_per_channel)} groups were measured with fewer than {FEW_POSITIONS} positions "
        f"per channel (least: {worst}, {few[worst]:.2g}), so their dimensionality reads low; use more probe images or "
        "larger ones."
    )


def _unresolved(
    session: Session, snapshots: Sequence[tuple[Run, int]], names: Sequence[str], threshold: float
) -> Iterator[str]:
    found: dict[str, float] = {}
    s = SpectrumSummary
    for run, iteration in snapshots:
        same = (Layer.run_id == s.run_id) & (Layer.order == s.layer)
        query = select(Layer.name, s.lambda_1).join(s, same)
        for name, lambda_1 in session.execute(
            query.where(s.run_id == run.id, s.iteration == iteration, Layer.name.in_(names))
        ):
            if not resolved(threshold, lambda_1):
                found[name] = max(found.get(name, 0.0), lambda_1)
    if found:
        worst = max(found, key=lambda name: found[name])
        floor = float(float32_floor(found[worst]))
        yield (
            f"In {len(found)} of {len(set(names))} maps λ₁ is so large that eigenvalues about {threshold:g} are "
            f"rounding (largest: {worst}, λ₁ = {found[worst]:.2g}, below {floor:.1g}); use the "
            "relative criterion or a later iteration."
        )
