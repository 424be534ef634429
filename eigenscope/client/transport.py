"""Requests of a client: one pool of connections, repeated only where nothing can happen twice."""

from __future__ import annotations

from collections.abc import Mapping
from time import sleep
from typing import Any, NoReturn

import httpx2

from backend.errors import EigenscopeError, InvalidInput, Unauthorized, Unavailable
from eigenscope.remote import API, authorization, checked_url, refusal, told

CONNECT_SECONDS = 10.0
DELAYS = (0.25, 0.5, 1.0)
"""Seconds before each further try: a server may be restarting."""

Query = Mapping[str, Any]


class Transport:
    """One server, the token that it asks for, and how long an answer may take."""

    def __init__(self, url: str, token: str | None, timeout: float) -> None:
        self._url = checked_url(url)
        if not timeout > 0:
            raise InvalidInput(f"the timeout must be a positive number of seconds, not {timeout}")
        self._seconds = timeout
        # A redirect is not followed: it would carry the token to wherever it leads.
        self._http = httpx2.Client(
            headers={"Accept": "application/json", **authorization(token)},
            timeout=httpx2.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
            follow_redirects=False,
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def get(self, path: str, query: Query | None = None) -> bytes:
        """Return the body of what is only read, asked for again while the server is away or busy."""
        return self._patiently("GET", API + path, query, None, anew=True)

    def page(self, path: str, query: Query | None = None) -> bytes:
        """Return the body of what lies beside the API."""
        return self._patiently("GET", path, query, None, anew=True)

    def post(self, path: str, content: Any) -> bytes:
        """Send what changes something: again only where the first try did not reach the server."""
        return self._patiently("POST", API + path, None, content, anew=False)

    def _patiently(self, method: str, path: str, query: Query | None, content: Any, *, anew: bool) -> bytes:
        for delay in DELAYS:
            try:
                return self._once(method, path, query, content)
            except _NotReached:
                sleep(delay)
            except _Lost:
                if not anew:
                    raise
                sleep(delay)
        return self._once(method, path, query, content)

    def _once(self, method: str, path: str, query: Query | None, content: Any) -> bytes:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            answer = self._http.request(method, self._url + path, params=given, json=content)
        except httpx2.ConnectError as error:
            raise _NotReached(self._silent(str(error))) from None
        except httpx2.TimeoutException:
            # Not asked again: a server that is slow would only have more to do.
            raise Unavailable(
                f"the server at {self._url} did not answer within {self._seconds:g} s; give Client a larger timeout="
            ) from None
        except (httpx2.TransportError, UnicodeError) as error:
            raise _Lost(self._silent(str(error) or type(error).__name__)) from None
        if not answer.is_success:
            self._refuse(path, answer.status_code, answer.content)
        return answer.content

    def _silent(self, reason: str) -> str:
        return f"no Eigenscope server answers at {self._url}: {reason}"

    def _refuse(self, path: str, status: int, content: bytes) -> NoReturn:
        kind, sentence = told(content, status)
        if status == Unauthorized.status:
            raise Unauthorized(f"the server at {self._url} wants its token, or another one; give token=…")
        if 300 <= status < 400:
            raise EigenscopeError(f"{self._url} leads to another address; give that one")
        if not kind:
            raise InvalidInput(f"at {self._url} is no Eigenscope: it answered {status}, {sentence}")
        if (status, sentence) == (404, "Not Found"):
            raise InvalidInput(f"the Eigenscope at {self._url} has no {path}; it is of another version")
        error = refusal(status)
        raise (_Lost if error is Unavailable else error)(sentence)


class _NotReached(Unavailable):
    """The request was never sent."""


class _Lost(Unavailable):
    """The request was sent, and what became of it is unknown or nothing."""
