"""The broker and the workers."""

from __future__ import annotations

import socket
from datetime import timedelta

from kombu.exceptions import OperationalError as BrokerError
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import func, select

from backend.broker import Broker
from backend.database import clock
from backend.errors import Conflict, Unavailable
from backend.models import Run, Worker
from backend.models.worker import SILENT_AFTER_BEATS
from backend.settings import Settings
from eigenscope.checks.stored import reading

OLDEST_REDIS = (6, 2)
TIMEOUT_SECONDS = 3


def broker(settings: Settings) -> str:
    """The broker answers; a Redis is new enough and never drops a message to make room."""
    opened = Broker(settings)
    kind = settings.broker.partition(":")[0]
    try:
        opened.check()
        more = _redis(settings.broker) if kind in ("redis", "rediss") else ""
    except (BrokerError, RedisError, OSError) as error:
        raise Unavailable(
            f"the broker ({kind}) does not answer: {error}; check EIGENSCOPE_BROKER_URL, and that it runs"
        ) from None
    finally:
        opened.close()
    return f"broker ({kind}){more}"


def _redis(url: str) -> str:
    with Redis.from_url(
        url, socket_connect_timeout=TIMEOUT_SECONDS, socket_timeout=TIMEOUT_SECONDS, decode_responses=True
    ) as client:
        version = str(client.info("server")["redis_version"])
        memory = client.info("memory")
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_REDIS:
        raise Conflict(
            f"Redis {version} is older than {'.'.join(map(str, OLDEST_REDIS))}; install a newer one (compose takes 7)"
        )
    policy = str(memory.get("maxmemory_policy", "unknown"))
    if policy not in ("noeviction", "unknown"):
        raise Conflict(
            f"Redis drops keys to make room ({policy}), and with them what wakes workers; set "
            "`maxmemory-policy noeviction` in its configuration"
        )
    return f" {version}, {policy}"


def workers(settings: Settings) -> str:
    """Some worker lives, and no run is held by one that does not."""
    living = _living(settings)
    if not living:
        raise Unavailable(
            "no worker lives, queued runs will wait; start one with `eigenscope worker` or `up`"
        )
    with reading(settings) as session:
        lost = list(
            session.scalars(
                select(Run.id).where(Run.status == "running", Run.lease_expires_at < clock(session))
            )
        )
        waiting = session.scalar(select(func.count()).select_from(Run).where(Run.status == "queued"))
    if lost:
        raise Conflict(
            f"run(s) {', '.join(map(str, lost[:5]))} run in name only, their worker is silent; start the server "
            "(`eigenscope serve` or `up`), which queues them again"
        )
    return f"{len(living)} worker(s): {', '.join(worker.name for worker in living)}; {waiting} run(s) queued"


def worker_here(settings: Settings) -> str:
    """A worker of this host lives."""
    here = [worker for worker in _living(settings) if worker.host == socket.gethostname()]
    if not here:
        raise Unavailable(f"no worker of {socket.gethostname()} has spoken lately; see its log")
    return f"worker {here[0].name}"


def _living(settings: Settings) -> list[Worker]:
    silent = timedelta(seconds=SILENT_AFTER_BEATS * settings.heartbeat_seconds)
    with reading(settings) as session:
        return list(session.scalars(select(Worker).where(Worker.seen_at > clock(session) - silent)))
