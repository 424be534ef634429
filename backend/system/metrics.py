"""`GET /metrics`: what Prometheus asks for. Nothing here reads a row per measurement, however much was measured."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from fastapi import APIRouter, Request, Response
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, load_only

from backend.database import clock
from backend.http.dependencies import DatabaseDep, SettingsDep
from backend.measurements.counting import written
from backend.models import Run, Worker
from backend.models.worker import SILENT_AFTER_BEATS
from backend.observability import process
from backend.observability.exposition import MEDIA_TYPE, Family, counter, gauge, render
from backend.runs import waiting
from backend.runs.heartbeat import heartbeat
from backend.runs.presentation import ACTIONS
from backend.settings import Settings
from backend.system import repository
from backend.webhooks import outbox
from backend.webhooks.stuck import stuck

router = APIRouter(tags=["system"])


@router.get("/metrics", response_class=Response)
def metrics(request: Request, database: DatabaseDep, settings: SettingsDep) -> Response:
    """Return numbers in Prometheus' text format; without the database, those that need none."""
    stored: list[Family] = []
    try:
        with database.reading() as session:
            stored += [*_runs(session, settings), *_workers(session, settings), *_written(session)]
    except SQLAlchemyError:
        stored = []
    up = gauge("eigenscope_database_up", "Whether the database answers.", int(bool(stored)))
    state = request.app.state
    own = [up, state.durations.family(), *_disk(settings), *_sweeper(state.readiness.sweep_age())]
    return Response(render([*stored, *own, *process.families()]), media_type=MEDIA_TYPE)


def _runs(session: Session, settings: Settings) -> Iterator[Family]:
    counts = repository.runs_by_status(session)
    runs = gauge("eigenscope_runs", "Runs by status.")
    for status in ACTIONS:
        runs.add(counts.get(status, 0), status=status)
    yield runs
    yield from _queue(session, counts.get("queued", 0))
    yield _leases(session, settings)
    yield gauge("eigenscope_runs_stuck", "Runs that were told to stand still, and still do.", stuck(session))
    deliveries = gauge("eigenscope_webhook_deliveries", "Webhook deliveries of the last week by state.")
    states = outbox.by_state(session)
    for state in ("pending", "delivered", "given_up"):
        deliveries.add(states.get(state, 0), state=state)
    yield deliveries


def _queue(session: Session, queued: int) -> Iterator[Family]:
    is_queued = Run.status == "queued"
    ready = session.scalar(select(func.count()).select_from(Run).where(is_queued, waiting.is_ready())) or 0
    depth = gauge(
        "eigenscope_queue_depth", "Queued runs: ready for a worker, or waiting for another run to end."
    )
    yield depth.add(ready, state="ready").add(queued - ready, state="waiting")
    oldest = session.scalar(select(func.min(Run.queued_at)).where(is_queued))
    age = max(0.0, (clock(session) - oldest).total_seconds()) if oldest else 0.0
    yield gauge("eigenscope_queue_oldest_seconds", "How long the oldest queued run has waited.", age)


def _leases(session: Session, settings: Settings) -> Family:
    columns = load_only(Run.status, Run.origin, Run.lease_expires_at)
    running = session.scalars(select(Run).where(Run.status == "running").options(columns).order_by(Run.id))
    found = gauge("eigenscope_lease_age_seconds", "How long ago a running run was last heard of.")
    for run in running:
        beat = heartbeat(session, run, settings)
        if beat is not None:
            found.add(beat.age_seconds, run_id=str(run.id), origin=run.origin)
    return found


def _workers(session: Session, settings: Settings) -> Iterator[Family]:
    workers = repository.workers(session)
    silent = clock(session) - timedelta(seconds=SILENT_AFTER_BEATS * settings.heartbeat_seconds)
    alive = [worker for worker in workers if worker.seen_at > silent]
    busy = sum(worker.run_id is not None for worker in alive)
    yield gauge("eigenscope_workers_alive", "Workers that speak.", len(alive))
    states = gauge("eigenscope_workers", "Workers by state; silent ones may be gone.")
    states.add(busy, state="busy").add(len(alive) - busy, state="idle")
    yield states.add(len(workers) - len(alive), state="silent")
    yield from _gpus(alive)


def _gpus(workers: Sequence[Worker]) -> Iterable[Family]:
    total = gauge("eigenscope_gpu_memory_bytes", "Memory of a worker's GPU.")
    used = gauge(
        "eigenscope_gpu_memory_used_bytes", "What all processes take of it, at the worker's last beats."
    )
    for worker in workers:
        for number, device in enumerate(worker.devices):
            labels = {"worker": worker.name, "device": str(number), "name": str(device.get("name", ""))}
            total.add(int(device["memory_bytes"]), "", **labels)
            if device.get("memory_used_bytes") is not None:
                used.add(int(device["memory_used_bytes"]), "", **labels)
    return total, used


def _written(session: Session) -> Iterator[Family]:
    sums = written(session)
    yield counter("eigenscope_spectra_written_total", "Spectra written, repeats included.", sums.spectra)
    yield counter(
        "eigenscope_metric_points_written_total", "Points of metrics written, repeats included.", sums.points
    )
    probe = Family("eigenscope_probe_seconds", "summary", "Seconds for which probes held up training.")
    yield probe.add(sums.probe_seconds, "_sum").add(sums.probes, "_count")


def _disk(settings: Settings) -> Iterator[Family]:
    try:
        disk = shutil.disk_usage(settings.home)
    except OSError:
        return
    yield gauge("eigenscope_disk_free_bytes", "Free on the disk of the home folder.", disk.free)
    yield gauge("eigenscope_disk_total_bytes", "Size of the disk of the home folder.", disk.total)


def _sweeper(age: float | None) -> Iterator[Family]:
    if age is not None:
        yield gauge(
            "eigenscope_sweep_age_seconds", "How long ago this server's sweeper last did its round.", age
        )
