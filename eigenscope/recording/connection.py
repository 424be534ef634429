"""Requests to an Eigenscope server with the standard library: patient, and clear about what went wrong."""

from __future__ import annotations

import json
from email.message import Message
from http.client import HTTPException
from time import sleep
from typing import IO, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from backend.errors import Conflict, EigenscopeError, InvalidInput, NotFound, Unauthorized, Unavailable
from backend.runs.recordings import RecordingStopped

JSON = "application/json"
API = "/api/v1"
TIMEOUT_SECONDS = 60
"""Longer than a server waits for SQLite's write lock."""
DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try: a server may be restarted meanwhile."""
_REFUSALS: dict[int, type[EigenscopeError]] = {
    400: InvalidInput,
    403: InvalidInput,
    409: Conflict,
    413: InvalidInput,
    422: InvalidInput,
    503: Unavailable,
}


class _NoRedirect(HTTPRedirectHandler):
    """Followed, a redirect would carry the token to wherever it leads."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """Let the redirect be an error like any other answer."""


class Connection:
    """One server, and the token that it asks for."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url = _checked_url(url)
        self._headers = {"Accept": JSON}
        if token is not None:
            if not (token.isascii() and token.isprintable() and token.strip()):
                raise InvalidInput("the token is empty or holds characters that no token has; copy it again")
            self._headers["Authorization"] = f"Bearer {token.strip()}"
        self._opener = build_opener(_NoRedirect)

    def ask(self, method: str, path: str, body: bytes, kind: str, *, repeatable: bool) -> bytes:
        """Return the answer's body; where `repeatable`, try again while the server is away or busy."""
        headers = {**self._headers, "Content-Type": kind}
        request = Request(f"{self._url}{API}{path}", body, headers, method=method)  # noqa: S310 - http(s) only
        delays = DELAYS if repeatable else ()
        of_run = path.startswith("/runs/")
        for delay in delays:
            try:
                return self._ask_once(request, of_run)
            except Unavailable:
                sleep(delay)
        return self._ask_once(request, of_run)

    def _ask_once(self, request: Request, of_run: bool) -> bytes:
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                found: bytes = answer.read()
                return found
        except HTTPError as error:
            with error:
                self._refuse(error, of_run)
        except (OSError, HTTPException, UnicodeError) as error:
            reason = error.reason if isinstance(error, URLError) else error
            words = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
            raise Unavailable(f"no Eigenscope server answers at {self._url}: {words}") from None

    def _refuse(self, error: HTTPError, of_run: bool) -> NoReturn:
        kind, detail = _told(error)
        if kind == RecordingStopped.type:
            raise RecordingStopped(detail)
        if of_run and kind == NotFound.type:
            raise RecordingStopped(f"{detail}; what is measured is no longer stored")
        if error.code == Unauthorized.status:
            raise Unauthorized(f"the server at {self._url} wants its token, or another one; give token=…")
        if error.code in (404, 405):
            raise InvalidInput(
                f"at {self._url} is no Eigenscope that can record; look at the address and its version"
            )
        if 300 <= error.code < 400:
            detail = "it leads to another address; give that one"
        sentence = f"the server at {self._url} answered {error.code}: {detail}"
        raise _REFUSALS.get(error.code, EigenscopeError)(sentence)


def _told(error: HTTPError) -> tuple[str, str]:
    """Return an error answer's type and sentence; another program's answer has neither."""
    try:
        content = json.loads(error.read())
        return str(content["error"]), str(content["detail"])
    except (ValueError, TypeError, KeyError, OSError, HTTPException):
        return "", str(error.reason)


def _checked_url(url: str) -> str:
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
