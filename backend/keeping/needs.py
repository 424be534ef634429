"""What other runs and plans of widths still need: no rule may delete it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.models import Run, WidthPlan, WidthPlanRun


@dataclass(frozen=True)
class Needs:
    """`checkpoints` are (run, iteration); of `lasts` the last one, and so the run itself; `runs` whole."""

    checkpoints: frozenset[tuple[int, int]]
    lasts: frozenset[int]
    runs: frozenset[int]

    @property
    def kept_runs(self) -> frozenset[int]:
        """Runs that must stay, for whatever reason."""
        return self.runs | self.lasts | {run for run, _ in self.checkpoints}


def needs(session: Session) -> Needs:
    """Return what the runs and plans that there are refer to.

    A run that started from another's weights needs them as long as it is there: it may be retried or copied. A plan
    needs its source, and the runs launched from it: the next round and the comparison read them.
    """
    checkpoints, lasts = set(), set()
    started = select(Run.specification).where(Run.parent_run_id.is_not(None))
    for specification in session.scalars(started):
        init = specification.get("init", {})
        if init.get("kind") != "run":
            continue
        if init.get("iteration") is None:
            lasts.add(int(init["run_id"]))
        else:
            checkpoints.add((int(init["run_id"]), int(init["iteration"])))
    runs = set(session.scalars(select(WidthPlanRun.run_id)))
    for run_id, request in session.execute(
        select(WidthPlan.run_id, WidthPlan.request).where(WidthPlan.run_id.is_not(None))
    ):
        runs.add(int(run_id))
        if isinstance(request.get("iteration"), int):
            checkpoints.add((int(run_id), request["iteration"]))
    return Needs(frozenset(checkpoints), frozenset(lasts), frozenset(runs))
