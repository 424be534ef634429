"""What a worker does when it is woken."""

from __future__ import annotations

import logging

from sqlalchemy.exc import DBAPIError

from backend.database import Database, does_not_answer, reason
from backend.observability.context import about_run
from backend.runs import queue
from backend.settings import Settings
from worker.presence import Presence
from worker.supervisor import Supervisor

_log = logging.getLogger(__name__)


def drain(database: Database, settings: Settings, presence: Presence, supervisor: Supervisor) -> None:
    """Claim and supervise queued runs, in the database's order, until none is left or the worker leaves.

    Where the database does not answer it is left at that: the sweeper rings again. A run that was claimed but not yet
    watched is found by its lease.
    """
    try:
        while not supervisor.leaving:
            with database.writing() as session:
                run_id = queue.claim_next(
                    session, presence.worker_name, settings.lease_seconds, presence.gpus
                )
            if run_id is None:
                return
            with about_run(run_id):
                _log.info("run %d claimed", run_id)
                outcome = supervisor.supervise(run_id)
                _log.info("run %d: %s", run_id, outcome)
    except DBAPIError as error:
        if not does_not_answer(error):
            raise
        _log.warning("the database does not answer (%s); this worker waits for the next bell", reason(error))
