"""Files on their way to a client, with errors in the one shape: Starlette answers a wrong Range in plain words."""

from __future__ import annotations

from starlette.responses import FileResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.http.errors import answer

_DETAIL = "the file has no such range of bytes; ask for 'bytes=FIRST-LAST' within it, or for the whole file"


def with_shaped_errors(app: ASGIApp) -> ASGIApp:
    """Return the application of files with what it refuses in the one shape."""

    async def shaped(scope: Scope, receive: Receive, send: Send) -> None:
        refused: list[Message] = []

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                refused.append(message)
            if not refused:
                await send(message)

        await app(scope, receive, sending)
        if refused:
            response = answer(refused[0]["status"], "range_not_satisfiable", _DETAIL)
            await response(scope, receive, send)

    return shaped


class File(FileResponse):
    """A file that may be asked for in parts."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file, or say in the one shape what is wrong with the range asked for."""
        await with_shaped_errors(super().__call__)(scope, receive, send)
