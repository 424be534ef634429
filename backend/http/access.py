"""Who may ask: the token, the Host and Origin checks, the security headers. Pure ASGI, so streams pass through."""

from __future__ import annotations

import hashlib
import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.http.errors import answer
from backend.settings import LOOPBACK, Settings

COOKIE = "eigenscope"
OPEN_PATHS = ("/api/v1/health", "/sign-in", "/static/")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}


def cookie_value(token: str) -> str:
    """Return what the browser keeps instead of the token itself."""
    return hashlib.sha256(b"eigenscope cookie " + token.encode()).hexdigest()


def same(left: str, right: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


class Access:
    """Refuse requests with a foreign Host, a foreign Origin, or without the token where there is one."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        named = {name.strip() for name in settings.allowed_hosts.split(",") if name.strip()}
        self._hosts = {*LOOPBACK, settings.host, *named}
        # A browser lured by DNS rebinding has no cookie for the foreign name: with a token any name is safe.
        self._any_host = bool(settings.token) and not named

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the refusal, or pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._any_host and _name(host) not in self._hosts:
            named = _name(host)[:100]
            detail = f"this server does not answer to the host '{named}'; add it to EIGENSCOPE_ALLOWED_HOSTS"
            return answer(400, "invalid_host", detail)
        origin = headers.get("origin")
        if scope["method"] not in SAFE_METHODS and origin is not None and _netloc(origin) != host:
            return answer(403, "foreign_origin", "a page of another origin may not change anything here")
        if not self._settings.token or scope["path"].startswith(OPEN_PATHS) or self._signed_in(headers):
            return None
        if scope["path"].startswith("/api/") or "text/html" not in headers.get("accept", ""):
            detail = "send the server's token as 'Authorization: Bearer …'"
            return answer(401, "unauthorized", detail)
        return RedirectResponse(f"/sign-in?next={quote(scope['path'])}", status_code=303)

    def _signed_in(self, headers: Headers) -> bool:
        token = self._settings.token
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return same(given.strip(), token)
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return morsel is not None and same(morsel.value, cookie_value(token))


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
