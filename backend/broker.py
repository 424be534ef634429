"""The bell: a Celery producer that wakes workers. What is to be done stands in the database."""

from __future__ import annotations

import logging
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from backend.settings import Settings

TASK = "eigenscope.run"
QUEUE = "eigenscope"
_log = logging.getLogger(__name__)


def celery_application(settings: Settings) -> Celery:
    """Return a Celery application for the configured broker; no result backend, JSON only."""
    app = Celery("eigenscope", broker=settings.broker, set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_acks_late=False,
        task_default_queue=QUEUE,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options=_transport_options(settings),
    )
    return app


def _transport_options(settings: Settings) -> dict[str, Any]:
    if settings.broker.startswith("filesystem:"):
        folder = settings.home / "broker"
        messages = folder / "messages"
        for needed in (messages, folder / "control"):
            needed.mkdir(parents=True, exist_ok=True)
        return {
            "data_folder_in": str(messages),
            "data_folder_out": str(messages),
            "control_folder": str(folder / "control"),
        }
    if settings.broker.startswith(("redis:", "rediss:")):
        return {"socket_connect_timeout": 3, "socket_timeout": 30, "socket_keepalive": True}
    return {}


class Broker:
    """Rings for runs. A bell that cannot be rung is no error: workers and the sweeper look again later."""

    def __init__(self, settings: Settings) -> None:
        self._app = celery_application(settings)

    def ring(self, run_id: int) -> bool:
        """Tell some worker that run `run_id` is queued; return whether the broker took the message."""
        try:
            self._app.send_task(TASK, args=[run_id], queue=QUEUE, retry=False)
        except (OperationalError, RedisError, OSError) as error:
            _log.warning("the broker does not answer (%s); run %d waits for the next sweep", error, run_id)
            return False
        return True

    def check(self) -> None:
        """Raise if the broker cannot be reached within three seconds."""
        with self._app.connection_for_write(connect_timeout=3) as connection:
            connection.ensure_connection(max_retries=1, timeout=3)

    def close(self) -> None:
        """Close the producer's connections."""
        self._app.close()
