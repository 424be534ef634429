"""Workers, queue, health and metrics over HTTP."""

from __future__ import annotations

import shutil
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy import text

from backend.database import clock
from backend.errors import Unavailable
from backend.http.dependencies import ReadSession, SettingsDep
from backend.models.worker import SILENT_AFTER_BEATS
from backend.runs.presentation import ACTIONS, RunItem, items
from backend.system import repository

router = APIRouter(tags=["system"])


class WorkerItem(BaseModel):
    """A worker; `alive` while it has spoken within the last beats."""

    name: str
    host: str
    devices: list[dict[str, Any]]
    run_id: int | None
    started_at: datetime
    seen_at: datetime
    alive: bool


class Health(BaseModel):
    """What the server can reach, and the disk of its home folder."""

    status: str
    database: str
    workers: int
    disk_free_bytes: int
    disk_total_bytes: int


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
    """List queued runs in the order in which they will start."""
    return items(session, repository.queued(session, 1000))


@router.get("/health")
def health(session: ReadSession, settings: SettingsDep) -> Health:
    """Say whether the server can do its work; 503 when the database cannot be asked."""
    session.execute(text("SELECT 1"))
    try:
        disk = shutil.disk_usage(settings.home)
    except OSError as error:
        raise Unavailable(
            f"the home folder cannot be read: {error.strerror}; check EIGENSCOPE_HOME"
        ) from None
    return Health(
        status="ok",
        database=session.get_bind().dialect.name,
        workers=sum(worker.alive for worker in workers(session, settings)),
        disk_free_bytes=disk.free,
        disk_total_bytes=disk.total,
    )


@router.get("/metrics", response_class=Response)
def prometheus(session: ReadSession, settings: SettingsDep) -> Response:
    """Return gauges in Prometheus' text format."""
    counts = repository.runs_by_status(session)
    alive = sum(worker.alive for worker in workers(session, settings))
    lines = ["# HELP eigenscope_runs Runs by status.", "# TYPE eigenscope_runs gauge"]
    lines += [f'eigenscope_runs{{status="{status}"}} {counts.get(status, 0)}' for status in ACTIONS]
    lines += [
        "# HELP eigenscope_workers_alive Workers that speak.",
        "# TYPE eigenscope_workers_alive gauge",
        f"eigenscope_workers_alive {alive}",
        "",
    ]
    return Response("\n".join(lines), media_type="text/plain; version=0.0.4")
