"""`GET /health`, whether the server can do its work, and `GET /health/live`, whether its process answers at all."""

from __future__ import annotations

import shutil
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from backend.database import clock
from backend.http.dependencies import DatabaseDep, SettingsDep
from backend.http.errors import answer
from backend.models.worker import SILENT_AFTER_BEATS
from backend.system import repository
from backend.system.readiness import Check, Readiness

router = APIRouter(tags=["system"])


class Health(BaseModel):
    """What the server can reach, and the disk of its home folder; `checks` says how each part is."""

    status: str
    database: str
    workers: int
    disk_free_bytes: int
    disk_total_bytes: int
    checks: dict[str, str]


class NotReady(BaseModel):
    """Why the server cannot do its work: the parts that fail, and how each part is."""

    error: str
    detail: str
    failing: list[str]
    checks: dict[str, str]


class Live(BaseModel):
    """That the process answers."""

    status: str


@router.get("/health/live")
def live() -> Live:
    """Say that the process answers; nothing else is asked."""
    return Live(status="ok")


@router.get("/health", response_model=Health, responses={503: {"model": NotReady}})
def health(request: Request, database: DatabaseDep, settings: SettingsDep) -> Health | JSONResponse:
    """Say whether the server can do its work; 503 with the failing parts where it cannot."""
    readiness: Readiness = request.app.state.readiness
    checks = readiness.checks()
    failing = [check for check in checks if not check.well]
    if failing:
        return _refusal(checks, failing)
    disk = shutil.disk_usage(settings.home)
    with database.reading() as session:
        silent = settings.heartbeat_seconds * SILENT_AFTER_BEATS
        moment = clock(session)
        ages = [(moment - worker.seen_at).total_seconds() for worker in repository.workers(session)]
        return Health(
            status="ok",
            database=session.get_bind().dialect.name,
            workers=sum(age < silent for age in ages),
            disk_free_bytes=disk.free,
            disk_total_bytes=disk.total,
            checks=_words(checks),
        )


def _refusal(checks: list[Check], failing: list[Check]) -> JSONResponse:
    sentence = "; ".join(f"{check.part}: {check.words}" for check in failing)
    more: dict[str, Any] = {"failing": [check.part for check in failing], "checks": _words(checks)}
    return answer(503, "unavailable", f"not ready: {sentence}", **more)


def _words(checks: list[Check]) -> dict[str, str]:
    return {check.part: check.words for check in checks}
