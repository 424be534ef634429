"""The Compare page: any number of runs under one cursor."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from backend.http.dependencies import ReadSession
from backend.runs import repository
from backend.runs.presentation import items
from backend.spectra.criteria import CRITERIA
from frontend import gather
from frontend.explorer import explorer_view
from frontend.formats import init_label
from frontend.settings_table import compared_settings, comparison_warning
from frontend.templating import page

router = APIRouter()

OTHERS_AT_MOST = 200


@router.get("/compare")
def show(
    request: Request,
    session: ReadSession,
    runs: Annotated[str, Query(max_length=200, description="Ids separated by commas.")] = "",
) -> HTMLResponse:
    """Show the runs side by side; the rest of the view (layer, iteration, criterion) is the browser's."""
    ids = gather.run_ids(runs)
    if not ids:
        return page(request, "choose.html")
    found = gather.runs_of(session, ids)
    newest, _ = repository.page(
        session, text="", status=(), tag="", dataset_id=None, sort="-id", offset=0, limit=OTHERS_AT_MOST
    )
    warning = comparison_warning([run.specification for run in found])
    labels = [init_label(run.specification["init"]["kind"]) for run in found]
    order = " − ".join(labels) if len(set(labels)) == len(labels) else "first − second"
    return page(
        request,
        "compare.html",
        difference_note=f"{order}, in points of the width",
        runs=items(session, found),
        others=[run for run in newest if run.id not in ids],
        warnings=[warning] if warning else [],
        criteria=list(CRITERIA.values()),
        settings=compared_settings([run.specification for run in found]),
        view=explorer_view(session, found),
    )
