"""The sign-in page, where the server has a token."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from backend.http.access import COOKIE, cookie_value, same
from backend.http.dependencies import SettingsDep
from frontend.templating import page

router = APIRouter()

BODY_AT_MOST = 16_384
COOKIE_SECONDS = 30 * 86_400


@router.get("/sign-in")
def show(request: Request, next: Annotated[str, Query(max_length=2000)] = "/") -> HTMLResponse:
    """Ask for the token."""
    return _form(request, next, wrong=False)


@router.post("/sign-in")
async def sign_in(request: Request, settings: SettingsDep) -> Response:
    """Give the browser a cookie in exchange for the token, and show the page it came for."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_AT_MOST:
            break
    fields = parse_qs(body[:BODY_AT_MOST].decode("utf-8", "replace"))
    target = fields.get("next", ["/"])[0]
    if not settings.token or not same(fields.get("token", [""])[0], settings.token):
        return _form(request, target, wrong=True)
    response = RedirectResponse(_own_path(target), status_code=303)
    response.set_cookie(
        COOKIE,
        cookie_value(settings.token),
        max_age=COOKIE_SECONDS,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


def _own_path(target: str) -> str:
    # "//elsewhere" and "/\elsewhere" are other servers to a browser.
    return target if target.startswith("/") and target[1:2] not in ("/", "\\") else "/"


def _form(request: Request, target: str, *, wrong: bool) -> HTMLResponse:
    status = 401 if wrong else 200
    return page(request, "sign_in.html", status, next=_own_path(target), wrong=wrong)
