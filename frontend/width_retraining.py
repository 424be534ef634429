"""What the form that launches a retraining must know of the source: whose baseline it is, how long it took."""

from __future__ import annotations

from dataclasses import dataclass

from backend.models import Run
from backend.runs.specification import RunSpecification
from backend.widths.launching import is_baseline


@dataclass(frozen=True)
class SourceOfRuns:
    """`seed` of which the source is the baseline already, None where of none; `seconds` that it took, if known."""

    seed: int | None
    seconds: int | None


def source_of_runs(run: Run | None, *, later_round: bool = False) -> SourceOfRuns:
    """Return what is known of a source; nothing of one that was deleted or recorded elsewhere."""
    if run is None or run.origin != "launched":
        return SourceOfRuns(None, None)
    return SourceOfRuns(None if later_round else _seed(run), _seconds(run))


def _seed(run: Run) -> int | None:
    if run.status != "succeeded":
        return None
    # A run whose settings no longer hold has a page too, which says so.
    try:
        specification = RunSpecification.model_validate(run.specification)
    except ValueError:
        return None
    return specification.training.seed if is_baseline(specification) else None


def _seconds(run: Run) -> int | None:
    """Return how long a finished run took, of one resumed the updates alone."""
    if run.status != "succeeded":
        return None
    if run.attempt == 1 and run.started_at and run.finished_at:
        return round((run.finished_at - run.started_at).total_seconds())
    return None if run.seconds_per_iteration is None else round(run.seconds_per_iteration * run.iterations)
