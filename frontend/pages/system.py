"""The System page: workers, queue, datasets, disk."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from backend.datasets import repository as datasets
from backend.http.dependencies import ReadSession, SettingsDep
from backend.system import endpoints
from frontend.templating import page

router = APIRouter()

DATASETS_AT_MOST = 1000


@router.get("/system")
def show(request: Request, session: ReadSession, settings: SettingsDep) -> HTMLResponse:
    """Show what runs where, what waits and what it trains on."""
    return page(
        request,
        "system.html",
        workers=endpoints.workers(session, settings),
        queue=endpoints.queue(session),
        datasets=datasets.page(session, 0, DATASETS_AT_MOST),
        health=endpoints.health(session, settings),
    )
