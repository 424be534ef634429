"""One server-sent stream a tab: which runs changed."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import asdict

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from backend.access.gate import Gate
from backend.http.dependencies import GateDep
from backend.system.changes import Changes

router = APIRouter(tags=["system"])

ASKED_AGAIN_SECONDS = 10.0
"""A stream whose token was revoked ends no later."""


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


async def _stream(changes: Changes, gate: Gate, request: Request) -> AsyncIterator[str]:
    asked = time.monotonic()
    async with changes.listening() as listener:
        yield _event("hello", {})
        while not await request.is_disconnected():
            heard = await listener.hear()
            if heard is None or request.app.state.stopping.is_set():
                return
            if time.monotonic() - asked > ASKED_AGAIN_SECONDS:
                if not await run_sync(gate.still_knows, request.state.visitor):
                    return
                asked = time.monotonic()
            if heard.changed or heard.deleted:
                yield _event("runs", asdict(heard))
            else:
                yield ": \n\n"


@router.get("/events", response_class=StreamingResponse)
async def events(request: Request, gate: GateDep) -> StreamingResponse:
    """Stream `runs` events: the ids of runs that changed or were deleted since the one before.

    `measured` are those of the changed that have further spectra, another result or another status.
    """
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    stream = _stream(request.app.state.changes, gate, request)
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)
