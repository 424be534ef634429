"""Iterated selection: select, retrain, select again. The database holds the chain, so that it survives a restart."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from backend.errors import EigenscopeError
from backend.models import Run, WidthPlan
from backend.settings import Settings
from backend.widths import repository, service
from backend.widths.launching import launch
from backend.widths.schemas import LaunchRequest, WidthRequest

ENDED = ("succeeded", "failed", "cancelled", "lost")


def advance(session: Session, settings: Settings) -> list[int]:
    """Begin the next round of every plan whose selected runs have all ended well; return the runs queued.

    A plan has one successor at most, which the database itself sees to, so that any number of servers may try.
    A round that cannot begin leaves its reason with the plan and is not tried again.
    """
    queued: list[int] = []
    for row in _unfinished(session):
        runs = [run for run, role in repository.launched(session, [row.id])[row.id] if role == "selected"]
        if not all(run.status in ENDED for run in runs):
            continue
        if not runs:
            row.problem = "every selected run of this round was deleted; launch one again"
            continue
        if any(run.status != "succeeded" for run in runs):
            # It may still be resumed: the chain waits for it, and the plan says so.
            continue
        try:
            with session.begin_nested():
                queued += _next_round(session, settings, row, runs)
        except EigenscopeError as error:
            row.problem = str(error)
    return queued


def _unfinished(session: Session) -> Sequence[WidthPlan]:
    successor = aliased(WidthPlan)
    query = (
        select(WidthPlan)
        .outerjoin(successor, successor.previous_plan_id == WidthPlan.id)
        .where(successor.id.is_(None), WidthPlan.problem.is_(None), WidthPlan.launch.is_not(None))
        .order_by(WidthPlan.id)
    )
    return [row for row in session.scalars(query) if LaunchRequest.model_validate(row.launch).rounds > 1]


def _next_round(session: Session, settings: Settings, row: WidthPlan, runs: Sequence[Run]) -> list[int]:
    request = WidthRequest.model_validate(row.request)
    first, *others = [run.id for run in runs]
    again = request.model_copy(update={"run_id": first, "also": tuple(others), "iteration": None})
    following = service.store(session, again, previous=row.id)
    asked = LaunchRequest.model_validate(row.launch)
    # The first round's runs are what all rounds are compared with.
    less = asked.model_copy(update={"rounds": asked.rounds - 1, "baseline": False, "uniform": False})
    return [run.id for run in launch(session, settings, following, less)]
