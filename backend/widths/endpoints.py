"""Plans of widths over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from backend.http.dependencies import BrokerDep, DatabaseDep, ReadSession, SettingsDep, WriteSession
from backend.http.pagination import Cursor, Limit, Page, cursor_after, offset_of
from backend.http.parameters import LARGEST, PlanId
from backend.widths import launching, repository, service
from backend.widths.curve import Curve, curve
from backend.widths.result import Result, result
from backend.widths.schemas import LaunchRequest, Plan, WidthPlanItem, WidthRequest
from backend.widths.snippet import snippet

router = APIRouter(tags=["widths"])


class Launched(BaseModel):
    """The runs that were queued."""

    run_ids: list[int]


@router.post("/width-plans", status_code=201, responses={200: {"model": Plan, "description": "A preview."}})
def make(
    request: WidthRequest,
    database: DatabaseDep,
    response: Response,
    preview: Annotated[bool, Query(description="Answer the plan alone and store nothing.")] = False,
) -> WidthPlanItem | Plan:
    """Choose widths from a run's spectra."""
    if preview:
        response.status_code = 200
        with database.reading() as session:
            return service.plan(session, request)[0]
    with database.writing() as session:
        (item,) = service.items(session, [service.store(session, request)])
        return item


@router.post("/width-plans/curve")
def over_thresholds(request: WidthRequest, session: ReadSession) -> Curve:
    """Return what the plan would be at other thresholds of its criterion."""
    return curve(session, request)


@router.get("/width-plans")
def listing(
    session: ReadSession,
    run_id: Annotated[int | None, Query(ge=1, le=LARGEST, description="Plans from this run.")] = None,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> Page[WidthPlanItem]:
    """List plans, newest first."""
    offset = offset_of(cursor)
    rows, total = repository.page(session, run_id, offset, limit)
    return Page(
        items=service.items(session, rows), total=total, next_cursor=cursor_after(offset, len(rows), total)
    )


@router.get("/width-plans/{plan_id}")
def show(plan_id: PlanId, session: ReadSession) -> WidthPlanItem:
    """Show a plan with the runs launched from it."""
    (item,) = service.items(session, [service.get(session, plan_id)])
    return item


@router.delete("/width-plans/{plan_id}", status_code=204)
def delete(plan_id: PlanId, session: WriteSession) -> None:
    """Delete a plan; its runs stay."""
    service.delete(session, plan_id)


@router.get("/width-plans/{plan_id}/snippet", response_class=PlainTextResponse)
def code(plan_id: PlanId, session: ReadSession) -> str:
    """Return Python that builds torchvision's network with the plan's widths."""
    return snippet(plan_id, Plan.model_validate(service.get(session, plan_id).plan))


@router.get("/width-plans/{plan_id}/result")
def compare(plan_id: PlanId, session: ReadSession) -> Result:
    """Return what came of the plan: source, baseline, uniform and selected networks side by side."""
    return result(session, service.get(session, plan_id))


@router.post("/width-plans/{plan_id}/runs", status_code=201)
def launch(
    plan_id: PlanId, request: LaunchRequest, database: DatabaseDep, settings: SettingsDep, broker: BrokerDep
) -> Launched:
    """Queue the retraining of a plan, and what it is to be compared with."""
    with database.writing() as session:
        runs = launching.launch(session, settings, service.get(session, plan_id), request)
        run_ids = [run.id for run in runs]
    # Rung after the commit: a worker that answers at once must find the rows.
    for run_id in run_ids:
        broker.ring(run_id)
    return Launched(run_ids=run_ids)
