"""One server-sent stream a tab: which runs changed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from backend.system.changes import Changes

router = APIRouter(tags=["system"])


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


async def _stream(changes: Changes, request: Request) -> AsyncIterator[str]:
    async with changes.listening() as listener:
        yield _event("hello", {})
        while not await request.is_disconnected():
            heard = await listener.hear()
            if heard is None or request.app.state.stopping.is_set():
                return
            if heard.changed or heard.deleted:
                yield _event("runs", asdict(heard))
            else:
                yield ": \n\n"


@router.get("/events", response_class=StreamingResponse)
async def events(request: Request) -> StreamingResponse:
    """Stream `runs` events: the ids of runs that changed or were deleted since the one before.

    `measured` are those of the changed that have further spectra, another result or another status.
    """
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    stream = _stream(request.app.state.changes, request)
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)
