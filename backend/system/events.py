"""One server-sent stream a tab: which runs changed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.exc import OperationalError

from backend.database import Database
from backend.http.dependencies import DatabaseDep
from backend.runs.repository import revisions

router = APIRouter(tags=["system"])

PAUSE_SECONDS = 0.7


def _read(database: Database) -> dict[int, int]:
    with database.reading() as session:
        return revisions(session)


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


async def _stream(database: Database, request: Request) -> AsyncIterator[str]:
    known = await run_sync(_read, database)
    yield _event("hello", {})
    while not await request.is_disconnected():
        await anyio.sleep(PAUSE_SECONDS)
        if request.app.state.stopping.is_set():
            return
        try:
            current = await run_sync(_read, database)
        except OperationalError:
            # The browser's own reconnection asks again; what changed meanwhile shows then.
            return
        changed = [i for i, revision in current.items() if known.get(i) != revision]
        deleted = [i for i in known if i not in current]
        known = current
        yield _event("runs", {"changed": changed, "deleted": deleted}) if changed or deleted else ": \n\n"


@router.get("/events", response_class=StreamingResponse)
async def events(database: DatabaseDep, request: Request) -> StreamingResponse:
    """Stream `runs` events: the ids of runs that changed or were deleted since the one before."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(database, request), media_type="text/event-stream", headers=headers)
