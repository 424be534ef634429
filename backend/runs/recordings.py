"""What a recorder may do. The caller owns the transaction: each call is written whole or not at all.

A recorded run is never queued. It has a lease as any running run has, prolonged by every write; when it has
expired the run is marked lost, and the recorder's next write, after a laptop slept, brings it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import isfinite
from typing import Any

from sqlalchemy import case
from sqlalchemy.orm import Session

from backend.database import clock
from backend.errors import Conflict
from backend.measurements import recording
from backend.measurements import repository as measurements
from backend.measurements.records import LayerRow
from backend.models import Run
from backend.runs import queue, service
from backend.runs.recorded import FinishRequest, MetricPoint, RecordedSpecification, RecordingRequest

LEASE = timedelta(hours=1)
OPEN = ("running", "lost")
RESULTS = ("ap", "ap50", "mask_ap", "top1")
"""Metrics that lists of runs have columns for."""


class RecordingStopped(Conflict):
    """Somebody cancelled or deleted the run: what is still measured of it is not stored."""

    type = "recording_stopped"


def start(session: Session, request: RecordingRequest) -> Run:
    """Add a recorded run with its layers; it is running at once."""
    specification = RecordedSpecification(init=request.init, settings=request.settings)
    moment = clock(session)
    run = Run(
        name=request.name,
        tags=list(request.tags),
        specification=specification.model_dump(mode="json"),
        origin="recorded",
        status="running",
        phase="recording",
        iterations=request.iterations,
        started_at=moment,
        lease_expires_at=moment + LEASE,
    )
    session.add(run)
    session.flush()
    fields = ("order", "name", "map", "stage", "width")
    rows = [LayerRow(**{f: getattr(layer, f) for f in fields}) for layer in request.layers]
    measurements.write_layers(session, run.id, rows)
    return run


def record_spectra(session: Session, run_id: int, records: Sequence[recording.Record]) -> None:
    """Store spectra, those that are stored already anew; raises `InvalidInput` for any that does not fit the run."""
    _demand_recorded(session, run_id)
    fields = ("order", "name", "map", "stage", "width")
    layers = {
        layer.name: LayerRow(**{f: getattr(layer, f) for f in fields})
        for layer in measurements.layers(session, run_id)
    }
    by_iteration = recording.rows(records, layers)
    _touch(session, run_id, max(by_iteration, default=0))
    for iteration, rows in by_iteration.items():
        measurements.write_spectra(session, run_id, iteration, rows)


def record_metrics(session: Session, run_id: int, points: Sequence[MetricPoint]) -> None:
    """Store scalars, those that are stored already anew."""
    _demand_recorded(session, run_id)
    _touch(session, run_id, max(point.iteration for point in points))
    missing = float("nan")
    # Of a number that is said twice the last counts; PostgreSQL does not upsert one key twice in one statement.
    last = {
        (point.iteration, name): missing if value is None else value
        for point in points
        for name, value in point.values.items()
    }
    measurements.write_metrics(session, run_id, [(i, name, value) for (i, name), value in last.items()])
    _note_results(session, run_id, last)


def _note_results(session: Session, run_id: int, values: Mapping[tuple[int, str], float]) -> None:
    """Let lists show the newest of the scalars that they have a column for."""
    newest: dict[str, float] = {}
    for (iteration, name), value in sorted(values.items()):
        if name in RESULTS and isfinite(value) and iteration >= service.get(session, run_id).iteration:
            newest[name] = value
    if newest:
        queue.change(session, _is_open(run_id), **newest)


def finish(session: Session, run_id: int, request: FinishRequest) -> Run:
    """Say how the run ended. To say the same again is no error: an answer may have been lost on its way."""
    _demand_recorded(session, run_id)
    ended = queue.change(
        session,
        _is_open(run_id),
        status=request.status,
        phase="",
        error=request.error,
        stop_requested=False,
        lease_expires_at=None,
        finished_at=clock(session),
    )
    run = _looked_at_again(session, run_id)
    if not ended and run.status != request.status:
        raise Conflict(f"run {run_id} has ended already: it is {run.status}")
    return run


def _demand_recorded(session: Session, run_id: int) -> None:
    if service.get(session, run_id).origin != "recorded":
        raise Conflict(
            f"run {run_id} is trained by a worker, which alone writes about it; record a run of your own"
        )


def _is_open(run_id: int) -> Any:
    return (Run.id == run_id) & (Run.origin == "recorded") & Run.status.in_(OPEN)


def _touch(session: Session, run_id: int, iteration: int) -> None:
    """Note a sign of life; raise unless the run may still be written about."""
    written = queue.change(
        session,
        _is_open(run_id),
        Run.stop_requested.is_(False),
        status="running",
        phase="recording",
        error=None,
        finished_at=None,
        lease_expires_at=clock(session) + LEASE,
        iteration=case((Run.iteration < iteration, iteration), else_=Run.iteration),
    )
    if written:
        return
    run = _looked_at_again(session, run_id)
    if run.stop_requested or run.status == "cancelled":
        raise RecordingStopped(
            f"run {run_id} was cancelled; end the training, what it measures is no longer stored"
        )
    raise Conflict(f"run {run_id} has ended: it is {run.status}; record a new run")


def _looked_at_again(session: Session, run_id: int) -> Run:
    # It may have changed, or be gone, since it was read.
    session.expunge_all()
    return service.get(session, run_id)
