"""A run's log over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from backend.http.dependencies import DatabaseDep, ReadSession
from backend.http.pagination import Limit
from backend.http.parameters import LARGEST, RunId
from backend.runs import logs, service

router = APIRouter(tags=["runs"])

LevelQuery = Annotated[
    logs.Level,
    Query(
        description="`warning` leaves out what is less than a warning, `error` warnings too; never a traceback."
    ),
]


class LogItem(BaseModel):
    """A line, numbered from 1."""

    number: int
    text: str


class LogPage(BaseModel):
    """Lines of a run's log; ask again with `after=next`. `total` are all lines there are."""

    lines: list[LogItem]
    next: int
    total: int


class LogHits(BaseModel):
    """How many lines hold the text, and the numbers of the newest of them, at most 5,000."""

    count: int
    numbers: list[int]


@router.get("/runs/{run_id}/logs")
def page(
    run_id: RunId,
    session: ReadSession,
    after: Annotated[int, Query(ge=0, le=LARGEST, description="Only lines after this one.")] = 0,
    before: Annotated[
        int | None, Query(ge=1, le=LARGEST, description="Instead the last lines before this one.")
    ] = None,
    last: Annotated[int | None, Query(ge=1, le=5000, description="Only so many of the last lines.")] = None,
    level: LevelQuery = "all",
    limit: Limit = 1000,
) -> LogPage:
    """Return lines of the trainer's log in order: after line `after`, or before `before`, or the last ones."""
    service.get(session, run_id)
    if last is not None:
        rows = logs.before(session, run_id, None, last, level)
    elif before is not None:
        rows = logs.before(session, run_id, before, limit, level)
    else:
        rows = logs.after(session, run_id, after, limit, level)
    return LogPage(
        lines=[LogItem(number=number, text=text) for number, text in rows],
        next=rows[-1][0] if rows else after,
        total=logs.length(session, run_id),
    )


@router.get("/runs/{run_id}/logs/search")
def search(
    run_id: RunId,
    session: ReadSession,
    text: Annotated[
        str, Query(min_length=1, max_length=200, pattern=r"^[^\x00]*$", description="Read letter by letter.")
    ],
    after: Annotated[int, Query(ge=0, le=LARGEST, description="Only lines after this one.")] = 0,
    level: LevelQuery = "all",
) -> LogHits:
    """Find a text in the whole log, whatever the case of its letters."""
    service.get(session, run_id)
    count, numbers = logs.hits(session, run_id, text, after, level)
    return LogHits(count=count, numbers=list(numbers))


@router.get(
    "/runs/{run_id}/logs/text",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/plain": {}}}},
)
def whole(run_id: RunId, session: ReadSession, database: DatabaseDep) -> StreamingResponse:
    """Return the whole log as a text file."""
    service.get(session, run_id)
    headers = {"Content-Disposition": f'attachment; filename="run-{run_id}.log"'}
    return StreamingResponse(
        logs.whole(database, run_id), media_type="text/plain; charset=utf-8", headers=headers
    )
