"""Which snapshots of two runs belong together: those of one iteration, or of one share of the planned training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Align = Literal["iteration", "progress"]


@dataclass(frozen=True)
class Snapshots:
    """A run's snapshots by rising iteration, of how many planned iterations, and how far the run has come."""

    iterations: Sequence[int]
    planned: int
    reached: int


def aligned(first: Snapshots, second: Snapshots, align: Align) -> list[tuple[int, int]]:
    """Return the columns (of the first, of the second) that belong together, each of the first at most once.

    By progress, each snapshot of the first run goes with the second run's last one at no larger a share of its
    planned iterations: nothing is interpolated, and no snapshot from later in a training is compared with an earlier
    one. Shares that the second run has not reached yet are left out.
    """
    if align == "iteration":
        at = {iteration: column for column, iteration in enumerate(second.iterations)}
        return [(column, at[one]) for column, one in enumerate(first.iterations) if one in at]
    pairs = []
    for column, iteration in enumerate(first.iterations):
        other = last_by_progress(second, iteration, first.planned)
        if other is not None and iteration * second.planned <= second.reached * first.planned:
            pairs.append((column, other))
    return pairs


def last_by_progress(run: Snapshots, iteration: int, planned: int) -> int | None:
    """Return the column of the run's last snapshot that is no further in its plan than `iteration` of `planned`."""
    before = [k for k, own in enumerate(run.iterations) if own * planned <= iteration * run.planned]
    return before[-1] if before else None
