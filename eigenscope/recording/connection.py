"""Requests to an Eigenscope server with the standard library: patient, and clear about what went wrong."""

from __future__ import annotations

from email.message import Message
from http.client import HTTPException
from time import sleep
from typing import IO, NoReturn
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from backend.errors import InvalidInput, NotFound, Unauthorized, Unavailable
from backend.runs.recordings import RecordingStopped
from eigenscope.remote import API, authorization, checked_url, refusal, told

JSON = "application/json"
TIMEOUT_SECONDS = 60
"""Longer than a server waits for SQLite's write lock."""
DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try: a server may be restarted meanwhile."""


class _NoRedirect(HTTPRedirectHandler):
    """Followed, a redirect would carry the token to wherever it leads."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """Let the redirect be an error like any other answer."""


class Connection:
    """One server, and the token that it asks for."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url = checked_url(url)
        self._headers = {"Accept": JSON, **authorization(token)}
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
        raise refusal(error.code)(sentence)


def _told(error: HTTPError) -> tuple[str, str]:
    try:
        return told(error.read(), error.code)
    except (OSError, HTTPException):
        return told(b"", error.code)
