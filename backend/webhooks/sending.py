"""One attempt to tell one receiver. What it answers beyond its status is not read, and redirects are not followed."""

from __future__ import annotations

import time
from dataclasses import dataclass

import httpx2 as httpx

from backend.webhooks.messages import Message
from backend.webhooks.receivers import Receiver

TIMEOUT = httpx.Timeout(10, connect=5)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went; `problem` is None where the receiver took the message (any 2xx)."""

    problem: str | None
    seconds: float


def send(receiver: Receiver, message: Message, secret: str) -> Outcome:
    """Send the message once, signed anew."""
    body = message.body()
    began = time.perf_counter()
    problem = _problem(receiver, body, message.headers(secret, body))
    return Outcome(problem, time.perf_counter() - began)


def _problem(receiver: Receiver, body: bytes, headers: dict[str, str]) -> str | None:
    try:
        with (
            httpx.Client(timeout=TIMEOUT, follow_redirects=False) as client,
            # Leaving the block closes the connection: an answer without end is not waited for.
            client.stream("POST", receiver.url, content=body, headers=headers) as response,
        ):
            status = response.status_code
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}".replace(receiver.url, receiver.name)[:500]
    if 200 <= status < 300:
        return None
    moved = "; redirects are not followed, name the new address" if 300 <= status < 400 else ""
    return f"it answered {status}{moved}"
