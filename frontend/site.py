"""Puts the pages, figures and static files into the application."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import WebSocketRequestValidationError
from fastapi.responses import Response

from backend.http.files import with_shaped_errors
from frontend import assets, modules
from frontend.pages import (
    api,
    compare,
    dataset,
    dataset_figures,
    demo,
    figures,
    new_run,
    report,
    run,
    runs,
    sign_in,
    system,
    width_figures,
    width_plan,
    widths,
)
from frontend.templating import page

Handler = Callable[[Request, Exception], Awaitable[Response]]
PAGES = (api, runs, new_run, demo, run, compare, widths, width_plan, dataset, system, report, sign_in)
TITLES = {
    401: "Sign in first",
    403: "Only reading",
    404: "Not found",
    409: "Not possible",
    422: "This address does not fit",
    429: "Too many attempts",
    503: "Not available",
}


def add_site(app: FastAPI) -> None:
    """Add pages, the figures' endpoint, static files and error pages. Call it after the API's error handlers."""
    for module in PAGES:
        app.include_router(module.router, include_in_schema=False)
    # Before the figures of runs, whose address would take theirs for a name that it does not know.
    app.include_router(width_figures.router, prefix="/api/v1")
    app.include_router(figures.router, prefix="/api/v1")
    app.include_router(dataset_figures.router, prefix="/api/v1")
    app.include_router(assets.router)
    files = assets.ImmutableFiles(directory=modules.FOLDER)
    app.mount(f"/static/{assets.static_version()}", with_shaped_errors(files))
    for kind, handler in list(app.exception_handlers.items()):
        if kind is not WebSocketRequestValidationError:
            app.add_exception_handler(kind, _with_page(handler))


def _with_page(handler: Any) -> Handler:
    """Return a handler that shows what `handler` answers as a page where a browser asked for one."""

    async def handle(request: Request, error: Exception) -> Response:
        response: Response = await handler(request, error)
        if request.url.path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
            return response
        detail = json.loads(bytes(response.body)).get("detail", "")
        title = TITLES.get(response.status_code, "Something went wrong")
        code = response.status_code
        return page(request, "error.html", code, title=title, code=code, detail=detail)

    return handle
