"""A plan in words and numbers, as the form, the log and the run's page show it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from backend.weights.plan import LoadPlan

LISTED_AT_MOST = 200
WORDS_AT_MOST = 4


class WeightsReport(BaseModel):
    """Which tensors of a file a run takes; lists hold the first names only, and the counts beside them say all."""

    file: str
    naming: str
    used: int
    missing: list[str]
    missing_count: int
    left_over: list[str]
    left_over_count: int
    notes: list[str]

    def __str__(self) -> str:
        found = [f"{self.used:,} tensors taken from {self.file} ({self.naming}'s names)"]
        for count, names, what in (
            (self.missing_count, self.missing, "drawn at random"),
            (self.left_over_count, self.left_over, "left over"),
        ):
            if count:
                found.append(f"{count:,} {what}: {_first(names, count)}")
        return "; ".join(found)


def report(plan: LoadPlan) -> WeightsReport:
    """Return what a plan says to people."""
    return WeightsReport(
        file=plan.name,
        naming=plan.naming,
        used=len(plan.transfers),
        missing=list(plan.missing[:LISTED_AT_MOST]),
        missing_count=len(plan.missing),
        left_over=[key[:200] for key in plan.left_over[:LISTED_AT_MOST]],
        left_over_count=len(plan.left_over),
        notes=list(plan.notes),
    )


def _first(names: Sequence[str], count: int) -> str:
    shown = ", ".join(names[:WORDS_AT_MOST])
    return shown if count <= WORDS_AT_MOST else f"{shown} and {count - WORDS_AT_MOST:,} more"
