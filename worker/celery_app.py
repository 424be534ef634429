"""The worker's Celery application: one thread, one run at a time, no torch in this process."""

from __future__ import annotations

import warnings
from typing import Any

from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import setup_logging, worker_shutting_down

from backend.broker import TASK, Broker, celery_application
from backend.database import Database
from backend.observability import context
from backend.settings import Settings
from worker.presence import Presence
from worker.supervisor import Supervisor
from worker.tasks import drain
from worker.watchdog import EXIT_STATUS, Watchdog


def worker_application(settings: Settings) -> Celery:
    """Return the Celery application of a worker: a pool of one thread."""
    app = celery_application(settings)
    app.conf.update(
        worker_pool="threads",
        worker_concurrency=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        # A broker that is away for hours is waited for; by default a worker gives up after a hundred attempts.
        broker_connection_max_retries=None,
    )
    if settings.broker.startswith(("redis:", "rediss:")):
        # Otherwise a message waits behind a busy worker although another is idle; Redis alone supports it.
        app.conf.worker_disable_prefetch = True
    return app


def _leave_logging_alone(**_: Any) -> None:
    return


def run_worker(settings: Settings) -> int:
    """Work until SIGTERM or SIGINT; a run under way is then saved and queued again. Return the exit status.

    A worker that has become deaf leaves by itself, with an exit status of its own, to be started again.
    """
    database = Database(settings.database)
    presence = Presence(database, settings)
    context.identify(worker=presence.worker_name)
    supervisor = Supervisor(database, settings, presence)
    broker = Broker(settings)
    watchdog = Watchdog(database, broker, settings, presence)
    app = worker_application(settings)
    # It warns of root for the sake of pickled messages; ours are JSON numbers.
    warnings.filterwarnings("ignore", category=SecurityWarning)

    def run(run_id: int) -> None:
        watchdog.heard()
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
    watchdog.start()
    try:
        worker.start()
    finally:
        watchdog.stop()
        presence.stop()
        broker.close()
        database.dispose()
    return EXIT_STATUS if watchdog.deaf else int(worker.exitcode or 0)
