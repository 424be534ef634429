"""Refuses what a page elsewhere makes a signed-in browser send: by Sec-Fetch-Site, by Origin, by the kind of body."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from backend.http.errors import answer
from backend.measurements.recording import MEDIA_TYPE

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
FORMS = ("/sign-in", "/sign-out")
"""The only addresses that take what an HTML form can send."""
KINDS = ("application/json", MEDIA_TYPE)
"""A page elsewhere cannot send these without asking first (CORS), and is never allowed to."""
OWN_SITES = ("same-origin", "none")


def forged(scope: Scope, headers: Headers) -> Response | None:
    """Return the refusal of a request that changes something and may come from a page elsewhere."""
    if scope["method"] in SAFE_METHODS:
        return None
    if _from_elsewhere(headers):
        return answer(403, "foreign_origin", "a page of another origin may not change anything here")
    if scope["path"] not in FORMS and not _kind_fits(headers):
        return answer(
            415,
            "unsupported_media_type",
            "send the body as JSON, with the header 'Content-Type: application/json'",
        )
    return None


def _from_elsewhere(headers: Headers) -> bool:
    if headers.get("sec-fetch-site", "none") not in OWN_SITES:
        return True
    origin = headers.get("origin")
    return origin is not None and _netloc(origin) != headers.get("host", "")


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _kind_fits(headers: Headers) -> bool:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    empty = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
    return kind in KINDS or (empty and not kind)
