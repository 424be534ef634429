"""The sign-in page, where the server asks for a token, and the way out again."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from backend.access.sessions import LASTS
from backend.errors import TooManyAttempts, Unauthorized
from backend.http.access import COOKIE, address_of, session_cookie
from backend.http.dependencies import GateDep
from frontend.templating import page

router = APIRouter()

BODY_AT_MOST = 16_384


@router.get("/sign-in")
def show(request: Request, next: Annotated[str, Query(max_length=2000)] = "/") -> HTMLResponse:
    """Ask for the token."""
    return _form(request, next)


@router.post("/sign-in")
async def sign_in(request: Request, gate: GateDep) -> Response:
    """Give the browser a session in exchange for a token, and show the page it came for."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_AT_MOST:
            break
    fields = parse_qs(body[:BODY_AT_MOST].decode("utf-8", "replace"))
    target, token = fields.get("next", ["/"])[0], fields.get("token", [""])[0].strip()
    if not token:
        return _form(request, target, 401, "Type a token.")
    try:
        cookie = await run_in_threadpool(gate.sign_in, token, address_of(request.scope))
    except Unauthorized:
        return _form(request, target, 401, "That is none of this server's tokens.")
    except TooManyAttempts as error:
        refused = _form(request, target, 429, f"Too many wrong tokens came. Try again in {error.seconds} s.")
        refused.headers["Retry-After"] = str(error.seconds)
        return refused
    response = RedirectResponse(_own_path(target), status_code=303)
    secure = request.url.scheme == "https"
    seconds = int(LASTS.total_seconds())
    response.set_cookie(COOKIE, cookie, max_age=seconds, httponly=True, samesite="lax", secure=secure)
    return response


@router.post("/sign-out")
async def sign_out(request: Request, gate: GateDep) -> Response:
    """End the browser's session, here and in the database."""
    await run_in_threadpool(gate.sign_out, session_cookie(request.headers))
    response = RedirectResponse("/sign-in", status_code=303)
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=request.url.scheme == "https")
    return response


def _own_path(target: str) -> str:
    # "//elsewhere" and "/\elsewhere" are other servers to a browser, which also drops tabs and line ends first.
    harmless = target.isprintable() and target.startswith("/") and target[1:2] not in ("/", "\\")
    return target if harmless else "/"


def _form(request: Request, target: str, status: int = 200, wrong: str = "") -> HTMLResponse:
    return page(request, "sign_in.html", status, next=_own_path(target), wrong=wrong)
