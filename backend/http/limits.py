"""What a request may carry: no body that fills the memory, no NUL. Pure ASGI, so streams pass through."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.http.errors import answer

MOST_BYTES = 64 * 2**20
"""Far above a snapshot: all 155 maps of a ResNet-50 are 0.2 MB."""
LONGEST_NUMBER = 18
"""Digits; Python refuses to read thousands of them."""
_DETAIL = (
    f"the body is larger than {MOST_BYTES // 2**20} MB; send it in parts, such as fewer iterations at once"
)


class BodyLimit:
    """Answer 413 to a body that says it is too large, or turns out to be, and 422 to an address with a NUL."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "")
        if said.isdecimal() and (len(said) > LONGEST_NUMBER or int(said) > MOST_BYTES):
            await answer(413, "too_large", _DETAIL)(scope, receive, send)
            return
        # PostgreSQL can store no text that holds one, nor look for it.
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            await answer(422, "invalid_input", "the address holds a NUL (%00); remove it")(
                scope, receive, send
            )
            return
        await self._app(scope, _counted(receive), send)


def _counted(receive: Receive) -> Receive:
    received = 0

    async def receiving() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MOST_BYTES:
            raise HTTPException(413, _DETAIL)
        return message

    return receiving
