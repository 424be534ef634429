"""What every talk with an Eigenscope server needs: its address and token checked, its refusals told as our errors."""

from __future__ import annotations

import json
from http import HTTPStatus
from urllib.parse import urlsplit

from backend.errors import (
    Conflict,
    EigenscopeError,
    Forbidden,
    InvalidInput,
    NotFound,
    Unauthorized,
    Unavailable,
)

API = "/api/v1"
_REFUSALS: dict[int, type[EigenscopeError]] = {
    400: InvalidInput,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: InvalidInput,
    415: InvalidInput,
    422: InvalidInput,
    429: Unauthorized,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def checked_url(url: str) -> str:
    """Return a server's address without a slash at its end, or refuse what is none."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        whole = False
    if not whole or parts.username is not None or parts.query or parts.fragment or " " in url:
        raise InvalidInput(
            "the server's URL must be http://HOST:PORT or https://HOST, without a user, '?' or '#'"
        )
    return url.rstrip("/")


def authorization(token: str | None) -> dict[str, str]:
    """Return the header that carries the token, no header without one."""
    if token is None:
        return {}
    if not (token.isascii() and token.isprintable() and token.strip()):
        raise InvalidInput("the token is empty or holds characters that no token has; copy it again")
    return {"Authorization": f"Bearer {token.strip()}"}


def refusal(status: int) -> type[EigenscopeError]:
    """Return the error that an answer of this status is."""
    return _REFUSALS.get(status, EigenscopeError)


def told(content: bytes, status: int) -> tuple[str, str]:
    """Return an error answer's type and sentence; another program's answer has neither."""
    try:
        answer = json.loads(content)
        return str(answer["error"]), str(answer["detail"])
    except (ValueError, TypeError, KeyError):
        return "", _phrase(status)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no sentence"
