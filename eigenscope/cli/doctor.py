"""`eigenscope doctor`: says what is wrong and how to mend it."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated

import typer
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError
from sqlalchemy import select

from backend import migration
from backend.broker import Broker
from backend.database import Database
from backend.errors import EigenscopeError, Unavailable
from backend.models import Worker
from backend.models.base import now
from backend.models.worker import SILENT_AFTER_BEATS
from backend.settings import Settings
from eigenscope.instance import prepare_home, read_settings
from worker.presence import devices

LOW_DISK_BYTES = 5 * 2**30


def doctor(
    worker: Annotated[
        bool, typer.Option("--worker", help="Only whether a worker of this host lives.")
    ] = False,
) -> None:
    """Check home folder, database, broker, workers, disk and GPU; exit status 0 only if all are well."""
    settings = read_settings()
    checks = (_worker_here,) if worker else (_home, _database, _broker, _workers, _disk, _gpu)
    well = True
    for check in checks:
        try:
            typer.echo(f"ok      {check(settings)}")
        except EigenscopeError as error:
            well = False
            typer.echo(f"wrong   {error}")
    if not well:
        raise typer.Exit(1)


def _home(settings: Settings) -> str:
    prepare_home(settings)
    return f"home folder {settings.home}"


def _database(settings: Settings) -> str:
    database = Database(settings.database)
    try:
        migration.demand_newest(database)
        return f"database {database.engine.url.render_as_string(hide_password=True)}, migration {migration.newest()}"
    finally:
        database.dispose()


def _broker(settings: Settings) -> str:
    broker = Broker(settings)
    kind = settings.broker.partition(":")[0]
    try:
        broker.check()
    except (BrokerError, RedisError, OSError) as error:
        raise Unavailable(
            f"the broker ({kind}) does not answer: {error}; check EIGENSCOPE_BROKER_URL"
        ) from None
    finally:
        broker.close()
    return f"broker ({kind})"


def _living(settings: Settings) -> Iterator[Worker]:
    silent = timedelta(seconds=SILENT_AFTER_BEATS * settings.heartbeat_seconds)
    database = Database(settings.database)
    try:
        migration.demand_newest(database)
        with database.reading() as session:
            yield from session.scalars(select(Worker).where(Worker.seen_at > now() - silent)).all()
    finally:
        database.dispose()


def _workers(settings: Settings) -> str:
    living = list(_living(settings))
    if not living:
        raise Unavailable(
            "no worker lives, queued runs will wait; start one with `eigenscope worker` or `up`"
        )
    return f"{len(living)} worker(s): {', '.join(worker.name for worker in living)}"


def _worker_here(settings: Settings) -> str:
    here = [worker for worker in _living(settings) if worker.host == socket.gethostname()]
    if not here:
        raise Unavailable(f"no worker of {socket.gethostname()} has spoken lately; see its log")
    return f"worker {here[0].name}"


def _disk(settings: Settings) -> str:
    free = shutil.disk_usage(settings.home).free
    if free < LOW_DISK_BYTES:
        raise Unavailable(
            f"only {free / 2**30:.1f} GiB are free in {settings.home}; delete runs or free disk"
        )
    return f"disk, {free / 2**30:.0f} GiB free"


def _gpu(settings: Settings) -> str:
    found = devices()
    return ", ".join(device["name"] for device in found) if found else "no GPU: training runs on the CPU"
