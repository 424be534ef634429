"""Figures of runs over HTTP: the same functions that reports and notebooks call."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from backend.http.dependencies import ReadSession
from frontend.figure_catalogue import FIGURES, figure
from frontend.figure_request import FigureRequest
from frontend.gather import runs_of
from frontend.live_words import tell_how_far

router = APIRouter(tags=["figures"])

NAMES = "; ".join(f"`{kind.name}`: {kind.title}" for kind in FIGURES.values())


@router.get(
    "/figures/{name}", response_class=Response, responses={200: {"content": {"application/json": {}}}}
)
def figure_of_runs(
    name: Annotated[str, Path(max_length=60, description=NAMES)],
    asked: Annotated[FigureRequest, Query()],
    session: ReadSession,
) -> Response:
    """Return a plotly figure of runs; a parameter that it does not read changes nothing."""
    drawn = tell_how_far(figure(session, name, asked), runs_of(session, asked.run_ids))
    return Response(drawn.to_json(), media_type="application/json")
