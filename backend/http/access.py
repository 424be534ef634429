"""Who may ask: the Host check, the defence against forged requests, the token. Pure ASGI, so streams pass through."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import quote

from sqlalchemy.exc import OperationalError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.access.gate import Gate
from backend.access.visitor import OPEN, Visitor
from backend.errors import EigenscopeError, Forbidden, TooManyAttempts, Unauthorized
from backend.http.errors import answer
from backend.http.forgery import forged
from backend.http.reading import only_reads
from backend.http.security_headers import with_headers
from backend.settings import LOOPBACK, Settings

COOKIE = "eigenscope"
OPEN_PATHS = ("/api/v1/health", "/api/v1/health/live", "/sign-in")
OPEN_FOLDERS = ("/static/",)


class Access:
    """Refuse requests with a foreign Host, forged ones, and those without a token where one is asked for."""

    def __init__(self, app: ASGIApp, settings: Settings, gate: Gate) -> None:
        self._app = app
        self._gate = gate
        named = {name.strip() for name in settings.allowed_hosts.split(",") if name.strip()}
        self._hosts = {*LOOPBACK, settings.host, *named}
        # A browser lured by DNS rebinding has no cookie for the foreign name: with a token any name is safe.
        self._any_host = gate.always and not named

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the refusal, or pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        trustworthy = scope.get("scheme") == "https" or _name(headers.get("host", "")) in LOOPBACK
        send = with_headers(send, scope, trustworthy=trustworthy)
        refusal = self._foreign_host(headers) or forged(scope, headers)
        visitor = OPEN
        if refusal is None and not _is_open(scope["path"]):
            try:
                visitor = await self._visitor(scope, headers)
            except (EigenscopeError, OperationalError) as error:
                refusal = await _told(scope, receive, headers, error)
        scope.setdefault("state", {})["visitor"] = visitor
        await (refusal or self._app)(scope, receive, send)
        if refusal is None and visitor.token_id is not None and self._gate.should_mark(visitor.token_id):
            await run_in_threadpool(self._gate.mark, visitor.token_id)

    def _foreign_host(self, headers: Headers) -> Response | None:
        name = _name(headers.get("host", ""))
        if self._any_host or name in self._hosts:
            return None
        detail = f"this server does not answer to the host '{name[:100]}'; add it to EIGENSCOPE_ALLOWED_HOSTS"
        return answer(400, "invalid_host", detail)

    async def _visitor(self, scope: Scope, headers: Headers) -> Visitor:
        if self._gate.open_for_now():
            return OPEN
        return await run_in_threadpool(self._known, scope, headers)

    def _known(self, scope: Scope, headers: Headers) -> Visitor:
        """Return who asks; raises Unauthorized, TooManyAttempts, or Forbidden where the token only reads."""
        if not self._gate.demands():
            return OPEN
        visitor = self._by_token(scope, headers) or self._by_session(headers)
        if visitor is None:
            raise Unauthorized("send a token of this server as 'Authorization: Bearer …'")
        if visitor.read_only and not only_reads(scope):
            raise Forbidden(f"the token '{visitor.name}' only reads; sign in with one that may change things")
        return visitor

    def _by_token(self, scope: Scope, headers: Headers) -> Visitor | None:
        kind, _, given = headers.get("authorization", "").partition(" ")
        text = given.strip()
        return self._gate.by_token(text, address_of(scope)) if kind.lower() == "bearer" and text else None

    def _by_session(self, headers: Headers) -> Visitor | None:
        cookie = session_cookie(headers)
        return self._gate.by_session(cookie) if cookie else None


def address_of(scope: Scope) -> str:
    """Return the address that a request came from."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def session_cookie(headers: Headers) -> str:
    """Return what a browser has kept of its sign-in; empty where it has not."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel is not None else ""


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)


async def _told(scope: Scope, receive: Receive, headers: Headers, error: Exception) -> Response:
    """Return the refusal as the application tells such errors: JSON, or a page where a browser asks."""
    for_people = "text/html" in headers.get("accept", "") and not scope["path"].startswith("/api/")
    if isinstance(error, Unauthorized) and for_people:
        query = scope.get("query_string", b"").decode("latin-1")
        wanted = scope["path"] + (f"?{query}" if query else "")
        return RedirectResponse(f"/sign-in?next={quote(wanted)}", status_code=303)
    handlers: dict[Any, Any] = scope["app"].exception_handlers
    kind = OperationalError if isinstance(error, OperationalError) else EigenscopeError
    response: Response = await handlers[kind](Request(scope, receive), error)
    if isinstance(error, Unauthorized):
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyAttempts):
        response.headers["Retry-After"] = str(error.seconds)
    return response


def _name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
