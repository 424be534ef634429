"""From one trainer of a run to the next: what the one before could not deliver is delivered before anything else."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.database import Database, does_not_answer, reason
from backend.models import Checkpoint, Run
from worker import journal
from worker.delivery import Delivery, RunTakenAway
from worker.entries import from_bytes
from worker.journal import Journal
from worker.training.stopping import StopRequested

_log = logging.getLogger(__name__)

PAUSE = 1.0


def take_over(
    database: Database, run_id: int, folder: Path, delivery: Delivery, should_stop: Callable[[], bool]
) -> Journal:
    """Deliver the newest journal that earlier trainers left, remove all of them, and return this trainer's own.

    Only the newest counts: who wrote an older one was already replaced. A run that begins anew (it was retried, or
    nothing of it ever reached the database) measures all of it again, so that its journals are removed unread. Waits
    for the database. Raises `RunTakenAway`, and `StopRequested` when asked to stop meanwhile.
    """
    with database.reading() as session:
        token, begun = _standing(session, run_id)
    left = journal.left_behind(folder)
    if left and begun:
        _deliver(left[-1], delivery, should_stop)
    own = Journal(folder, token)
    for path in left:
        if path != journal.path_of(folder, token):
            path.unlink(missing_ok=True)
    return own


def _standing(session: Session, run_id: int) -> tuple[int, bool]:
    """Return the run's revision, and whether the database holds anything of its training."""
    run = session.get(Run, run_id)
    if run is None:
        raise RunTakenAway(f"run {run_id} was deleted")
    kept = session.scalar(select(func.count()).where(Checkpoint.run_id == run_id)) or 0
    return run.revision, bool(kept or run.iteration or run.start)


def _deliver(path: Path, delivery: Delivery, should_stop: Callable[[], bool]) -> None:
    delivered = 0
    for record in journal.records(path):
        entry = from_bytes(record, delivery.home)
        while True:
            if should_stop():
                raise StopRequested
            try:
                delivery.write(entry)
                break
            except DBAPIError as error:
                if not does_not_answer(error):
                    raise
                _log.warning("the database does not answer (%s); the journal waits for it", reason(error))
                time.sleep(PAUSE)
        delivered += 1
    if delivered:
        _log.info(
            "delivered %d records that the trainer before had kept while the database was away", delivered
        )
