"""Workers and queue over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from backend.database import clock
from backend.http.dependencies import ReadSession, SettingsDep
from backend.models.worker import SILENT_AFTER_BEATS
from backend.runs.presentation import RunItem, items
from backend.system import repository

router = APIRouter(tags=["system"])

QUEUED_AT_MOST = 1000


class WorkerItem(BaseModel):
    """A worker; `alive` while it has spoken within the last beats."""

    name: str
    host: str
    devices: list[dict[str, Any]]
    run_id: int | None
    started_at: datetime
    seen_at: datetime
    alive: bool


@router.get("/workers")
def workers(session: ReadSession, settings: SettingsDep) -> list[WorkerItem]:
    """List workers and their GPUs."""
    fields = ("name", "host", "devices", "run_id", "started_at", "seen_at")
    silent, moment = settings.heartbeat_seconds * SILENT_AFTER_BEATS, clock(session)
    return [
        WorkerItem(
            **{field: getattr(worker, field) for field in fields},
            alive=(moment - worker.seen_at).total_seconds() < silent,
        )
        for worker in repository.workers(session)
    ]


@router.get("/queue")
def queue(session: ReadSession) -> list[RunItem]:
    """List queued runs in the order in which they will start, at most 1,000."""
    return items(session, repository.queued(session, QUEUED_AT_MOST))
