"""Every request has an id, a duration and a line in the log. Pure ASGI, so streams pass through."""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.observability import context
from backend.observability.durations import Durations

_log = logging.getLogger(__name__)

REQUEST_ID = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9._:-]{1,64}")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
UNKNOWN = "(unknown)"
ROUTINE = ("/api/v1/health", "/api/v1/metrics", "/api/v1/events", "/static/")
"""Asked all the time by programs: their lines are for debugging."""


class Requests:
    """Takes a request's id from its header, or makes one, and answers with it."""

    def __init__(self, app: ASGIApp, durations: Durations, api: str) -> None:
        self._app, self._durations, self._api = app, durations, api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        own = given if _SANE.fullmatch(given) else uuid.uuid4().hex
        # It is not reset: where the request fails unexpectedly, that is said outside of here.
        context.request_id.set(own)
        answered: dict[str, Any] = {"status": 500, "stream": False}
        began = time.perf_counter()
        try:
            await self._app(scope, receive, _noting(send, own, answered))
        finally:
            self._note(scope, answered, time.perf_counter() - began)

    def _note(self, scope: Scope, answered: dict[str, Any], seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else UNKNOWN
        route, status = template(scope, self._api), int(answered["status"])
        if not answered["stream"]:
            self._durations.add(method, route, status, seconds)
        fields = {"method": method, "path": scope["path"], "route": route, "status": status}
        fields["seconds"] = round(seconds, 4)
        run_id = scope.get("path_params", {}).get("run_id")
        if str(run_id).isdecimal():
            fields["run_id"] = int(run_id)
        words = ("%s %s answered %d in %.3f s", method, scope["path"], status, seconds)
        _log.log(_level(scope["path"], status), *words, extra={"event": "request", "fields": fields})


def _level(path: str, status: int) -> int:
    if status >= 500:
        return logging.WARNING
    return logging.DEBUG if path.startswith(ROUTINE) else logging.INFO


def _noting(send: Send, request_id: str, answered: dict[str, Any]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID] = request_id
            answered["status"] = message["status"]
            answered["stream"] = headers.get("content-type", "").startswith("text/event-stream")
        await send(message)

    return sending


def template(scope: Scope, api: str) -> str:
    """Return the route's template, such as `/api/v1/runs/{run_id}`: there are few, whatever addresses are asked for.

    The router tells a route without the prefix `api` with which it was included.
    """
    path: str = scope["path"]
    if path.startswith("/static/"):
        return "/static"
    route = getattr(scope.get("route"), "path", None)
    if not isinstance(route, str):
        return UNKNOWN
    return api + route if path.startswith(f"{api}/") and not route.startswith(api) else route
