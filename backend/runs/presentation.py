"""Runs as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.measurements import repository as measurements
from backend.models import Dataset, Run
from backend.runs.remaining import Left, left_of
from backend.runs.start import StartReport
from backend.runs.waiting import waited_for

Origin = Literal["launched", "recorded"]

ACTIONS: dict[str, tuple[str, ...]] = {
    "queued": ("cancel", "delete"),
    "running": ("cancel", "delete"),
    "succeeded": ("delete",),
    "failed": ("resume", "retry", "delete"),
    "cancelled": ("resume", "retry", "delete"),
    "lost": ("resume", "retry", "delete"),
}
"""What may be done to a launched run in each status; anything else answers 409."""

RECORDED_ACTIONS: dict[str, tuple[str, ...]] = {
    "running": ("cancel", "delete"),
    "succeeded": ("delete",),
    "failed": ("delete",),
    "cancelled": ("delete",),
    "lost": ("delete",),
}
"""What may be done to a recorded run: it is somebody's own training, which no worker can take up."""


class DatasetReference(BaseModel):
    """A dataset, by id and name."""

    id: int
    name: str


class Progress(BaseModel):
    """How far a run is; `eta_seconds` only while it runs and its speed is known, probes and evaluations included.

    Where `eta_whole` is False, one of these is still to come and none has been timed: it takes longer than that.
    """

    iteration: int
    iterations: int
    seconds_per_iteration: float | None
    eta_seconds: float | None
    eta_whole: bool = True


class Summary(BaseModel):
    """A run's result in numbers; AP (of boxes), mask AP and top-1 in 0…1, MACs of one image."""

    ap: float | None
    ap50: float | None
    mask_ap: float | None
    top1: float | None
    parameters: int | None
    backbone_parameters: int | None
    macs: int | None
    snapshots: int
    layers: int


class RunItem(BaseModel):
    """A run, as lists show it; a recorded one has neither dataset nor architecture, backbone and norm."""

    id: int
    name: str
    origin: Origin
    tags: list[str]
    notes: str
    archived: bool
    status: str
    phase: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    dataset: DatasetReference | None
    architecture: str | None
    backbone: str | None
    norm: str | None
    init: str
    parent_run_id: int | None
    waits_for: int | None
    """The run that has to end before this queued one can begin, since it starts from that one's last weights."""
    attempt: int
    error: str | None
    device: str | None
    progress: Progress
    summary: Summary
    actions: list[str]


class RunDetail(RunItem):
    """A run with its whole specification, and how it began once its trainer has told."""

    specification: dict[str, Any]
    start: StartReport | None
    imported: dict[str, Any] | None
    """Where it was imported: the instance it is from, and its number there."""


def items(session: Session, runs: Sequence[Run]) -> list[RunItem]:
    """Present many runs with a fixed number of queries."""
    return [RunItem(**values) for values in _values(session, runs)]


def detail(session: Session, run: Run) -> RunDetail:
    """Present one run whole."""
    (values,) = _values(session, [run])
    return RunDetail(**values, specification=run.specification, start=run.start, imported=run.imported)


def _values(session: Session, runs: Sequence[Run]) -> list[dict[str, Any]]:
    counts = measurements.counts(session, [run.id for run in runs])
    names = dict(session.execute(select(Dataset.id, Dataset.name)).all())
    waits, left = waited_for(session, runs), left_of(session, runs)
    return [
        _one(run, names, *counts[run.id])
        | {"waits_for": waits.get(run.id), "progress": _progress(run, left.get(run.id))}
        for run in runs
    ]


def _one(run: Run, datasets: dict[int, str], layers: int, snapshots: int) -> dict[str, Any]:
    model = run.specification.get("model", {})
    same = (
        "id",
        "name",
        "origin",
        "tags",
        "notes",
        "archived",
        "status",
        "phase",
        "created_at",
        "started_at",
        "finished_at",
    )
    also = ("parent_run_id", "attempt", "error", "device")
    results = ("ap", "ap50", "mask_ap", "top1", "parameters", "backbone_parameters", "macs")
    return {
        **{field: getattr(run, field) for field in same + also},
        "dataset": _dataset(run, datasets),
        "architecture": model.get("architecture"),
        "backbone": model.get("backbone"),
        "norm": model.get("norm"),
        "init": run.specification["init"]["kind"],
        "summary": Summary(
            **{field: getattr(run, field) for field in results}, layers=layers, snapshots=snapshots
        ),
        "actions": actions_now(run),
    }


def _dataset(run: Run, names: dict[int, str]) -> DatasetReference | None:
    return None if run.dataset_id is None else DatasetReference(id=run.dataset_id, name=names[run.dataset_id])


def actions_by_status(run: Run) -> dict[str, tuple[str, ...]]:
    """Return what may be done to this run in each status."""
    return RECORDED_ACTIONS if run.origin == "recorded" else ACTIONS


def actions_now(run: Run) -> list[str]:
    """Return what may be done to this run now."""
    actions = list(actions_by_status(run)[run.status])
    if run.stop_requested and "cancel" in actions:
        actions.remove("cancel")
    return actions


def _progress(run: Run, left: Left | None) -> Progress:
    return Progress(
        iteration=run.iteration,
        iterations=run.iterations,
        seconds_per_iteration=run.seconds_per_iteration,
        eta_seconds=left.seconds if left else None,
        eta_whole=left is None or left.whole,
    )
