"""The one cursor of a report: what a step of it means for each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backend.errors import InvalidInput
from backend.models import Run
from frontend.builders.averages import demand_tag
from frontend.courses import planned_iterations
from frontend.report.request import ReportRequest

GRACE = 0.005
"""Percent: pages write a progress with two decimals."""


@dataclass(frozen=True)
class Cursor:
    """Steps are iterations, or, where `totals` gives each run's planned iterations, percent of each training."""

    totals: Mapping[int, int]
    at: float | None
    """The step at which it stands at first; None for the last."""

    @property
    def by_progress(self) -> bool:
        """Whether steps are percent."""
        return bool(self.totals)

    @property
    def same_for_all(self) -> bool:
        """Whether all runs are at one iteration wherever the cursor stands."""
        return len(set(self.totals.values())) <= 1

    def steps(self, run: int, iterations: Sequence[int]) -> tuple[float, ...]:
        """Return at which steps a run has these iterations."""
        if not self.by_progress:
            return tuple(iterations)
        # One division: equal shares of two trainings are then equal numbers.
        return tuple(100 * iteration / self.totals[run] for iteration in iterations)

    def columns(self, run: int, iterations: Sequence[int], steps: Sequence[float]) -> NDArray[np.intp]:
        """Return for each step the run's last snapshot not after it, the first one where all are."""
        own = np.asarray(self.steps(run, iterations))
        return np.maximum(np.searchsorted(own, np.asarray(steps), side="right") - 1, 0)

    def start(self, steps: Sequence[float]) -> int:
        """Return the index of the step at which the cursor stands at first."""
        if not steps or self.at is None:
            return max(0, len(steps) - 1)
        return max(int(np.searchsorted(steps, self.at, side="right")) - 1, 0)

    def words(self, step: float, last: float) -> str:
        """Write a step as the cursor's bar does."""
        return f"{percent(step)} of training" if self.by_progress else f"{step:,} of {last:,}"


def percent(step: float) -> str:
    """Write a share of a training in percent, with a decimal only where it is not whole."""
    return f"{round(step, 1):,.1f}".removesuffix(".0") + " %"


def placed(runs: Sequence[Run], asked: ReportRequest) -> tuple[ReportRequest, Cursor]:
    """Return the request with the first run's iteration, at which figures are drawn, and the report's cursor.

    Raises InvalidInput where runs cannot be aligned or averaged as it is asked for.
    """
    if asked.view.band:
        demand_tag(runs, asked.view.band)
    if not asked.view.by_progress:
        return asked, Cursor({}, asked.iteration)
    totals = {run.id: _planned(run) for run in runs}
    total = totals[runs[0].id]
    if asked.view.progress is None:
        return asked, Cursor(totals, None if asked.iteration is None else 100 * asked.iteration / total)
    at = asked.view.progress + GRACE
    view = replace(asked.view, progress=None)
    return replace(asked, iteration=min(total, int(at / 100 * total)), view=view), Cursor(totals, at)


def _planned(run: Run) -> int:
    total = planned_iterations(run)
    if not total:
        raise InvalidInput(
            f"nobody said how many iterations run {run.id} is planned to have; align by iteration instead"
        )
    return total
