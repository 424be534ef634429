"""Figures of width plans over HTTP: of a request that stores nothing, and of a stored plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import plotly.graph_objects as go
from fastapi import APIRouter, Query, Response
from pydantic import Field, field_validator
from sqlalchemy.orm import Session

from backend.errors import InvalidInput
from backend.http.dependencies import ReadSession
from backend.http.parameters import PlanId
from backend.widths import service
from backend.widths.curve import curve
from backend.widths.result import PAPER_PARAMETERS
from backend.widths.schemas import Plan, WidthRequest
from frontend.figures.colours import Theme
from frontend.figures.width_curve import Kept, width_curve
from frontend.figures.width_groups import GroupWidths, width_groups
from frontend.figures.width_stages import StageCost, width_stages

router = APIRouter(tags=["figures"])

ThemeKey = Annotated[Theme, Query()]
_FIGURE: dict[str, Any] = {
    "response_class": Response,
    "responses": {200: {"content": {"application/json": {}}}},
}


class FigureOfRequest(WidthRequest):
    """The fields of `POST /width-plans` as a query, and the theme; an empty value is null there."""

    theme: Theme = Field("light", description="Colours.")

    @field_validator("iteration", "threshold", "budget", "parameters_budget", mode="before")
    @classmethod
    def _empty_is_null(cls, value: Any) -> Any:
        return None if value == "" else value


Asked = Annotated[FigureOfRequest, Query()]


def _groups(plan: Plan, theme: Theme) -> go.Figure:
    groups = [
        GroupWidths(
            one.group, one.layers, one.dimensionality, one.positions_per_channel, one.original, one.width
        )
        for one in plan.groups
    ]
    return width_groups(plan.source.name, groups, theme)


def _parameters(plan: Plan, theme: Theme) -> go.Figure:
    stages = [StageCost(one.name, one.parameters_before, one.parameters_after) for one in plan.stages]
    return width_stages(plan.source.name, "parameters", stages, theme)


def _macs(plan: Plan, theme: Theme) -> go.Figure:
    stages = [StageCost(one.name, one.macs_before, one.macs_after) for one in plan.stages]
    return width_stages(plan.source.name, "MACs", stages, theme)


def _answer(figure: go.Figure) -> Response:
    return Response(figure.to_json(), media_type="application/json")


def _add(name: str, draw: Callable[[Plan, Theme], go.Figure], what: str) -> None:
    def of_request(asked: Asked, session: ReadSession) -> Response:
        return _answer(draw(service.plan(session, asked)[0], asked.theme))

    def of_plan(plan_id: PlanId, session: ReadSession, theme: ThemeKey = "light") -> Response:
        return _answer(draw(Plan.model_validate(service.get(session, plan_id).plan), theme))

    router.add_api_route(
        f"/figures/{name}", of_request, summary=f"{what}, of a plan that is not stored", **_FIGURE
    )
    router.add_api_route(
        f"/figures/{name}/{{plan_id}}", of_plan, summary=f"{what}, of a stored plan", **_FIGURE
    )


_add("width_groups", _groups, "Widths before and after, by group")
_add("width_parameters", _parameters, "Parameters before and after, by stage")
_add("width_macs", _macs, "MACs before and after, by stage")


@router.get("/figures/width_curve", **_FIGURE)
def of_thresholds(asked: Asked, session: ReadSession) -> Response:
    """Return what plans keep of a network against the threshold, the one asked for marked."""
    found = curve(session, asked)
    columns = (found.thresholds, found.backbone_parameters_ratio, found.parameters_ratio, found.macs_ratio)
    points = [Kept(*row) for row in zip(*columns, strict=True)]
    return _answer(
        width_curve(found.criterion, points, _present(session, asked), PAPER_PARAMETERS, asked.theme)
    )


def _present(session: Session, asked: WidthRequest) -> Kept | None:
    try:
        plan, _ = service.plan(session, asked)
    except InvalidInput:
        return None
    totals, threshold = plan.totals, plan.source.threshold
    if threshold is None:
        return None
    return Kept(threshold, totals.backbone_parameters_ratio, totals.parameters_ratio, totals.macs_ratio)
