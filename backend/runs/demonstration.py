"""Which runs are the demo: the newest pre-training, and the two detectors that are compared."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, String, cast, select
from sqlalchemy.orm import Session

from backend.models import Run
from backend.runs.waiting import UNDER_WAY

TAG, PRETRAINING, PRETRAINED, SCRATCH = "demo", "pre-training", "I", "S"
"""The tag of all its runs, and the one beside it that tells them apart."""


@dataclass(frozen=True, slots=True)
class Demonstration:
    """The demo's runs: the pre-training, I, which starts from its weights, and S."""

    pretraining: Run
    pretrained: Run
    scratch: Run

    @property
    def runs(self) -> tuple[Run, Run, Run]:
        """All three, in the order in which they are trained."""
        return self.pretraining, self.pretrained, self.scratch

    @property
    def under_way(self) -> bool:
        """Whether any of them is queued or running."""
        return any(run.status in UNDER_WAY for run in self.runs)


def newest(session: Session) -> Demonstration | None:
    """Return the newest demo whose three runs are all there."""
    last = session.scalars(_tagged(PRETRAINING).order_by(Run.id.desc())).first()
    if last is None:
        return None
    started = session.scalars(
        _tagged(PRETRAINED).where(Run.parent_run_id == last.id).order_by(Run.id)
    ).first()
    scratch = session.scalars(_tagged(SCRATCH).where(Run.id > last.id).order_by(Run.id)).first()
    return Demonstration(last, started, scratch) if started and scratch else None


def _tagged(tag: str) -> Select[Run]:
    return select(Run).where(_has(TAG), _has(tag))


def _has(tag: str) -> ColumnElement[bool]:
    return cast(Run.tags, String).contains(f'"{tag}"', autoescape=True)
