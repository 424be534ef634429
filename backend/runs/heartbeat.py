"""When a running run was last heard of, read from its lease: whoever trains it prolongs that all the time."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.orm import Session

from backend.database import clock
from backend.http.dependencies import ReadSession, SettingsDep
from backend.http.parameters import RunId
from backend.models import Run
from backend.runs import recordings, service
from backend.settings import Settings

router = APIRouter(tags=["runs"])

BEATS_UNTIL_STALE = 4


class Heartbeat(BaseModel):
    """How long ago a running run was heard of; beyond `stale_seconds` is unusual, beyond `lost_seconds` it is lost."""

    age_seconds: float
    stale_seconds: float
    lost_seconds: float

    @property
    def stale(self) -> bool:
        """Whether it should have been heard of since."""
        return self.age_seconds > self.stale_seconds


def heartbeat(session: Session, run: Run, settings: Settings) -> Heartbeat | None:
    """Return when a running run was last heard of; None of a run that does not run."""
    if run.status != "running" or run.lease_expires_at is None:
        return None
    recorded = run.origin == "recorded"
    lease = recordings.LEASE if recorded else timedelta(seconds=settings.lease_seconds)
    age = clock(session) - (run.lease_expires_at - lease)
    half = lease.total_seconds() / 2
    return Heartbeat(
        age_seconds=max(0.0, age.total_seconds()),
        # A recorder speaks when its training has something to say, a worker all the time.
        stale_seconds=half if recorded else min(half, BEATS_UNTIL_STALE * settings.heartbeat_seconds),
        lost_seconds=lease.total_seconds(),
    )


@router.get("/runs/{run_id}/heartbeat")
def show(run_id: RunId, session: ReadSession, settings: SettingsDep) -> Heartbeat | None:
    """Say when a running run was last heard of; null while it does not run."""
    return heartbeat(session, service.get(session, run_id), settings)
