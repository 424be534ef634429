"""The worker's Celery application: one thread, one run at a time, no torch in this process."""

from __future__ import annotations

import warnings
from typing import Any

from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import setup_logging, worker_shutting_down

from backend.broker import TASK, celery_application
from backend.database import Database
from backend.observability import context
from backend.settings import Settings
from worker.presence import Presence
from worker.supervisor import Supervisor
from worker.tasks import drain


def worker_application(settings: Settings) -> Celery:
    """Return the Celery application of a worker: a pool of one thread."""
    app = celery_application(settings)
    app.conf.update(
        worker_pool="threads",
        worker_concurrency=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
    )
    if settings.broker.startswith(("redis:", "rediss:")):
        # Otherwise a message waits behind a busy worker although another is idle; Redis alone supports it.
        app.conf.worker_disable_prefetch = True
    return app


def _leave_logging_alone(**_: Any) -> None:
    return


def run_worker(settings: Settings) -> int:
    """Work until SIGTERM or SIGINT; a run under way is then saved and queued again. Return the exit status."""
    database = Database(settings.database)
    presence = Presence(database, settings)
    context.identify(worker=presence.worker_name)
    supervisor = Supervisor(database, settings, presence)
    app = worker_application(settings)
    # It warns of root for the sake of pickled messages; ours are JSON numbers.
    warnings.filterwarnings("ignore", category=SecurityWarning)

    def run(run_id: int) -> None:
        # Which run comes next stands in the database; the message only wakes.
        drain(database, settings, presence, supervisor)

    def leave(**_: Any) -> None:
        supervisor.leave()

    app.task(name=TASK)(run)
    worker_shutting_down.connect(leave, weak=False)
    # Logging is configured already; Celery leaves it alone where somebody says so.
    setup_logging.connect(_leave_logging_alone, weak=False)
    worker = app.Worker(
        loglevel="WARNING", without_gossip=True, without_mingle=True, without_heartbeat=True, quiet=True
    )
    presence.start()
    try:
        worker.start()
    finally:
        presence.stop()
        database.dispose()
    return int(worker.exitcode or 0)
