"""A report as a file to download."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from backend.errors import InvalidInput
from backend.http.dependencies import ReadSession
from backend.http.parameters import LARGEST
from backend.measurements.service import PAPER_CRITERION
from frontend import gather
from frontend.report.document import file_name, report
from frontend.report.request import ReportRequest, words_of
from frontend.report.view import ReportView, values_of

router = APIRouter()


@router.get("/report", response_class=Response)
def download(
    session: ReadSession,
    runs: Annotated[str, Query(max_length=200, description="Ids separated by commas.")] = "",
    figures: Annotated[str, Query(max_length=400, description="Names separated by commas.")] = "",
    layer: Annotated[list[str] | None, Query(description="Once for each layer.")] = None,
    i: Annotated[
        int | None, Query(ge=0, le=LARGEST, description="The iteration; empty takes the last.")
    ] = None,
    c: Annotated[str, Query(max_length=40, description="The criterion.")] = "",
    t: Annotated[str, Query(max_length=40, description="Its threshold.")] = "",
    y: Annotated[str, Query(max_length=60, description=values_of("y"))] = "",
    xs: Annotated[str, Query(max_length=60, description=values_of("xs"))] = "",
    ys: Annotated[str, Query(max_length=60, description=values_of("ys"))] = "",
    x: Annotated[str, Query(max_length=60, description=values_of("x"))] = "",
    align: Annotated[str, Query(max_length=60, description=values_of("align"))] = "",
    p: Annotated[
        str, Query(max_length=40, description="Of runs aligned by progress: percent of each training.")
    ] = "",
    band: Annotated[
        str, Query(max_length=60, description="A tag of runs drawn as their mean; or `tags`.")
    ] = "",
) -> Response:
    """Return one HTML file; the view's keys are those of the pages' addresses."""
    asked = ReportRequest(
        runs=tuple(gather.run_ids(runs)),
        figures=words_of(figures),
        layers=tuple(dict.fromkeys(name for name in layer or () if name)),
        iteration=i,
        criterion=c or PAPER_CRITERION,
        threshold=_number(t, "threshold"),
        view=ReportView(y, xs, ys, x, align, band, _number(p, "progress")),
    )
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name(asked)}"',
        "Cache-Control": "no-store",
    }
    content = report(session, asked, datetime.now(UTC))
    return Response(content, media_type="text/html; charset=utf-8", headers=headers)


def _number(text: str, called: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        raise InvalidInput(f"the {called} '{text}' is no number") from None
