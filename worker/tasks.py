"""What a worker does when it is woken."""

from __future__ import annotations

import logging

from backend.database import Database
from backend.observability.context import about_run
from backend.runs import queue
from backend.settings import Settings
from worker.presence import Presence
from worker.supervisor import Supervisor

_log = logging.getLogger(__name__)


def drain(database: Database, settings: Settings, presence: Presence, supervisor: Supervisor) -> None:
    """Claim and supervise queued runs, in the database's order, until none is left or the worker leaves."""
    while not supervisor.leaving:
        with database.writing() as session:
            run_id = queue.claim_next(session, presence.worker_name, settings.lease_seconds)
        if run_id is None:
            return
        with about_run(run_id):
            _log.info("run %d claimed", run_id)
            outcome = supervisor.supervise(run_id)
            _log.info("run %d: %s", run_id, outcome)
