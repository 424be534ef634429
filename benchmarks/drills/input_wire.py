"""Sends bytes to the application as a server would, without a client library that would mend them first."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI

HOST = (b"host", b"127.0.0.1")
SLOW_SECONDS = 30.0
DRAWS = "/api/v1/demo"
"""Draws some hundred images: slow by what it is there for."""
READINESS = "/api/v1/health"
"""Says 503 here: the drill asks an application whose sweeper nobody has started."""
LONGEST_DETAIL = 4000
"""Letters of a sentence that a person reads; more is an echo of what was sent."""


@dataclass(frozen=True)
class Sent:
    """A request: `path` and `query` as they stand on the wire."""

    operation: str
    """Whose it is, such as `GET /api/v1/runs`; a part of the report, not of the request."""
    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""

    def shown(self) -> str:
        """Return it on one line."""
        query = f"?{self.query}" if self.query else ""
        body = f" {self.body[:200]!r}" if self.body else ""
        return f"{self.method} {self.path[:200]}{query[:300]}{body}"


@dataclass
class Answer:
    """What came back; `failure` is what the application raised beyond its answer."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    failure: BaseException | None = None
    seconds: float = 0.0


class Wire:
    """One application, asked one request at a time."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._runner = asyncio.Runner()

    def close(self) -> None:
        """End the loop that requests run in."""
        self._runner.close()

    def ask(self, sent: Sent) -> Answer:
        """Return the whole answer to one request."""
        begun = time.perf_counter()
        answer = self._runner.run(_asked(self._app, sent))
        answer.seconds = time.perf_counter() - begun
        return answer


async def _asked(app: FastAPI, sent: Sent) -> Answer:
    answer, body = Answer(), [sent.body]

    async def receive() -> MutableMapping[str, Any]:
        if body:
            return {"type": "http.request", "body": body.pop(), "more_body": False}
        if not sent.path.endswith("/events"):
            # Nobody hangs up before the answer is there, but on the stream that has no end.
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    try:
        await app(_scope(sent), receive, send)
    except Exception as error:
        answer.failure = error
    return answer


def _scope(sent: Sent) -> dict[str, Any]:
    named = {name for name, _ in sent.headers}
    headers = [*([] if HOST[0] in named else [HOST]), *sent.headers]
    if b"content-length" not in named:
        headers.append((b"content-length", str(len(sent.body)).encode()))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": sent.method,
        "scheme": "http",
        "path": unquote(sent.path),
        "raw_path": sent.path.encode(),
        "query_string": sent.query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }


def faults(sent: Sent, answer: Answer) -> Iterator[str]:
    """Yield what an answer does wrong, whatever was asked."""
    if answer.failure is not None:
        yield f"raised {type(answer.failure).__name__}"
    unready = answer.status == 503 and sent.path == READINESS
    if not 200 <= answer.status < 500 and not unready:
        yield f"status {answer.status}"
    if answer.seconds > SLOW_SECONDS and sent.path != DRAWS:
        yield f"took more than {SLOW_SECONDS:g} seconds"
    if 400 <= answer.status < 500 and sent.method != "HEAD" and not _is_page(sent, answer):
        yield from _misshapen(answer)
    elif (
        answer.body and answer.headers.get("content-type", "") == "application/json" and not _is_json(answer)
    ):
        yield "is no JSON, or holds NaN"
    if answer.status == 405 and not answer.headers.get("allow"):
        yield "does not say which methods are allowed"


def _misshapen(answer: Answer) -> Iterator[str]:
    try:
        found = json.loads(answer.body)
    except ValueError:
        yield f"error {answer.status} is no JSON"
        return
    if not isinstance(found, dict) or not {"error", "detail"} <= found.keys() <= {
        "error",
        "detail",
        "fields",
    }:
        yield f"error {answer.status} has another shape: {str(found)[:100]}"
    elif not all(isinstance(found[key], str) and found[key].strip() for key in ("error", "detail")):
        yield f"error {answer.status} says nothing"
    elif len(found["detail"]) > LONGEST_DETAIL:
        yield f"error {answer.status} has a sentence of more than {LONGEST_DETAIL} letters"


def _is_page(sent: Sent, answer: Answer) -> bool:
    """Whether a person reads the error, as the page that was asked for or in its place."""
    return not sent.path.startswith("/api") and answer.headers.get("content-type", "").startswith("text/html")


def _is_json(answer: Answer) -> bool:
    if "content-encoding" in answer.headers:
        return True
    try:
        json.loads(answer.body, parse_constant=_refused)
    except ValueError:
        return False
    return True


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
