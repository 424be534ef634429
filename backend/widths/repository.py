"""Plans of widths in the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.models import Run, WidthPlan, WidthPlanRun


def get(session: Session, plan_id: int) -> WidthPlan | None:
    """Return one plan."""
    return session.get(WidthPlan, plan_id)


def page(session: Session, run_id: int | None, offset: int, limit: int) -> tuple[Sequence[WidthPlan], int]:
    """Return plans, newest first, and how many there are; `run_id` takes those of one source."""
    conditions = [] if run_id is None else [WidthPlan.run_id == run_id]
    total = session.scalar(select(func.count()).select_from(WidthPlan).where(*conditions)) or 0
    query = select(WidthPlan).where(*conditions).order_by(WidthPlan.id.desc())
    return session.scalars(query.offset(offset).limit(limit)).all(), total


def launched(session: Session, plan_ids: Sequence[int]) -> dict[int, list[tuple[Run, str]]]:
    """Return for each plan its runs with their roles, in the order of their launch."""
    found: dict[int, list[tuple[Run, str]]] = {plan_id: [] for plan_id in plan_ids}
    query = select(WidthPlanRun.plan_id, Run, WidthPlanRun.role).join(Run, Run.id == WidthPlanRun.run_id)
    for plan_id, run, role in session.execute(
        query.where(WidthPlanRun.plan_id.in_(plan_ids)).order_by(Run.id)
    ):
        found[plan_id].append((run, role))
    return found


def following(session: Session, plan_ids: Sequence[int]) -> dict[int, int]:
    """Return for each plan that has one the plan of the next round."""
    query = select(WidthPlan.previous_plan_id, WidthPlan.id).where(WidthPlan.previous_plan_id.in_(plan_ids))
    return {previous: plan_id for previous, plan_id in session.execute(query) if previous is not None}


def plan_of_run(session: Session, run_id: int) -> WidthPlanRun | None:
    """Return the plan that a run was launched from."""
    return session.get(WidthPlanRun, run_id)
