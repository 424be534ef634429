"""What happens to runs is noted in the transaction in which it happens: no end of a run goes untold."""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.models import Run, WebhookEvent
from backend.models.base import now

OF_STATUS = {status: f"run.{status}" for status in ("succeeded", "failed", "cancelled", "lost")}
"""The event of each status that ends a run."""
STUCK = "run.stuck"
TEST = "test"

_SUMMARY = ("ap", "ap50", "mask_ap", "top1", "parameters", "backbone_parameters", "macs")


def note_status(session: Session, run_ids: Sequence[int], status: object) -> None:
    """Note that these runs have just come to `status`; those that do not end a run are nobody's business."""
    event = OF_STATUS.get(str(status))
    if event is not None:
        note(session, run_ids, event)


def note(session: Session, run_ids: Sequence[int], event: str, problem: str | None = None) -> None:
    """Note an event of these runs as they are now; `problem` stands in for an error that the run itself has not."""
    if not run_ids:
        return
    moment = now()
    columns = [getattr(Run, name) for name in _COLUMNS]
    for row in session.execute(select(*columns).where(Run.id.in_(run_ids)).order_by(Run.id)):
        facts = _facts(dict(row._mapping), problem)
        session.add(
            WebhookEvent(
                key=str(uuid.uuid4()), event=event, run_id=facts["id"], facts=facts, created_at=moment
            )
        )
    session.flush()


_COLUMNS = (
    "id",
    "name",
    "status",
    "origin",
    "error",
    "attempt",
    "iteration",
    "iterations",
    *_SUMMARY,
    "started_at",
    "finished_at",
)


def _facts(run: dict[str, Any], problem: str | None) -> dict[str, Any]:
    same = ("id", "name", "status", "origin", "attempt")
    times = {name: run[name].isoformat() if run[name] else None for name in ("started_at", "finished_at")}
    return {
        **{name: run[name] for name in same},
        "error": problem or run["error"],
        "progress": {name: run[name] for name in ("iteration", "iterations")},
        "summary": {name: _finite(run[name]) for name in _SUMMARY},
        **times,
    }


def _finite(value: float | None) -> float | None:
    # JSON has no NaN, and no end of a run may fail for it.
    return value if value is not None and math.isfinite(value) else None
