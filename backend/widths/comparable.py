"""Which networks a plan's last run measures for all."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.models import WidthPlan
from backend.runs.specification import RunSpecification
from backend.widths import repository

ENDED = ("succeeded", "failed", "cancelled", "lost")


def networks_to_measure(session: Session, run_id: int) -> dict[str, RunSpecification]:
    """Return the networks of the plan that a run was launched from by role, the source's first.

    Empty for a run of no plan, and while another of its runs still trains or waits: the last one measures. Two runs
    that end together may both be the last, which does no harm.
    """
    own = repository.plan_of_run(session, run_id)
    plan = session.get(WidthPlan, own.plan_id) if own is not None else None
    if plan is None:
        return {}
    launched = repository.launched(session, [plan.id])[plan.id]
    others = [run for run, _ in launched if run.id != run_id]
    if any(run.status not in ENDED and run.iteration < run.iterations for run in others):
        return {}
    found = {"source": RunSpecification.model_validate(plan.specification)}
    for run, role in launched:
        found.setdefault(role, RunSpecification.model_validate(run.specification))
    return found
