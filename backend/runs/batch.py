"""One action on several runs: each is done whole or refused with its sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from backend.database import Database
from backend.errors import EigenscopeError
from backend.models import Run
from backend.runs import service

Action = Literal["cancel", "archive", "unarchive", "delete"]


class BatchRequest(BaseModel):
    """What to do to which runs."""

    model_config = ConfigDict(extra="forbid")

    action: Action
    run_ids: list[Annotated[int, Field(ge=1, le=2**31 - 1)]] = Field(min_length=1, max_length=1000)


class RunResult(BaseModel):
    """How it went with one run; `detail` says why it was refused, and is null where it was done."""

    run_id: int
    name: str | None
    done: bool
    detail: str | None


class BatchResult(BaseModel):
    """How it went, run by run in the order asked for."""

    action: Action
    done: int
    refused: int
    results: list[RunResult]


def _delete(session: Session, run_id: int) -> None:
    service.delete(session, run_id)


def _cancel(session: Session, run_id: int) -> None:
    service.cancel(session, run_id)


def _archive(session: Session, run_id: int) -> None:
    service.edit(session, run_id, archived=True)


def _unarchive(session: Session, run_id: int) -> None:
    service.edit(session, run_id, archived=False)


ACTIONS: dict[Action, Callable[[Session, int], None]] = {
    "cancel": _cancel,
    "archive": _archive,
    "unarchive": _unarchive,
    "delete": _delete,
}


def act(database: Database, request: BatchRequest) -> BatchResult:
    """Do it to one run after another, each in a transaction of its own: no writer waits for all of them."""
    results = [_act(database, request.action, run_id) for run_id in dict.fromkeys(request.run_ids)]
    done = sum(result.done for result in results)
    return BatchResult(action=request.action, done=done, refused=len(results) - done, results=results)


def _act(database: Database, action: Action, run_id: int) -> RunResult:
    name = None
    try:
        with database.writing() as session:
            run = session.get(Run, run_id)
            name = run.name if run else None
            ACTIONS[action](session, run_id)
    except EigenscopeError as error:
        return RunResult(run_id=run_id, name=name, done=False, detail=str(error))
    return RunResult(run_id=run_id, name=name, done=True, detail=None)
