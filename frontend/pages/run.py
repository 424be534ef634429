"""The Run page: one run's training and its eigenspectra."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from backend.http.dependencies import ReadSession
from backend.runs import repository, service
from backend.runs.presentation import detail
from backend.spectra.criteria import CRITERIA
from frontend.explorer import counterpart, explorer_view, undercount_warning
from frontend.settings_table import flat_settings
from frontend.templating import page

router = APIRouter()


@router.get("/runs/{run_id}")
def show(run_id: int, request: Request, session: ReadSession) -> HTMLResponse:
    """Show one run."""
    found = service.get(session, run_id)
    run = detail(session, found)
    warning = undercount_warning(session, found)
    return page(
        request,
        "run.html",
        run=run,
        peer=counterpart(session, found),
        warnings=[warning] if warning else [],
        criteria=list(CRITERIA.values()),
        settings=flat_settings(run.specification).items(),
        checkpoints=repository.checkpoints(session, run_id),
        view=explorer_view(session, [found]),
    )
