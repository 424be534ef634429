"""Ten thousand queued runs: how long the list, the queue and a claim take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from sqlalchemy import insert
from sqlalchemy.orm import Session

from backend.database import Database
from backend.models import Run
from backend.models.base import now
from backend.runs import queue
from backend.runs.specification import RunSpecification
from benchmarks.dashboard import ours
from benchmarks.dashboard.seeding import add_dataset
from benchmarks.drills.asking import timed
from benchmarks.drills.findings import Finding
from benchmarks.drills.places import Kind, served

QUEUED = 10_000
LIMIT = 200.0
"""Milliseconds of the median."""
ROUNDS = 9
AT_ONCE = 1000
LEASE_SECONDS = 60.0
ADDRESSES = {
    "the page of runs": "/",
    "the page of queued runs": "/?status=queued",
    "one changed run's row": "/?only=1",
    "the System page with the queue": "/system",
    "the list over the API": "/api/v1/runs",
    "the list of queued runs over the API": "/api/v1/runs?status=queued&limit=1000",
    "the list, another order": "/api/v1/runs?sort=-iteration&limit=100",
    "the queue over the API": "/api/v1/queue",
    "the metrics for Prometheus": "/api/v1/metrics",
}


def measure(kind: Kind, folder: Path, runs: int = QUEUED, rounds: int = ROUNDS) -> list[Finding]:
    """Return what was found on one kind of database."""
    with served(folder, kind) as place:
        database = Database(place.database_url)
        enqueue(database, runs)
        here = f"{kind}, {runs:,} queued runs"
        found = [
            timed(f"{here}: {what}", partial(ours.answer, place.address + path), LIMIT, rounds)
            for what, path in ADDRESSES.items()
        ]
        found += [timed(f"{here}: {what}", work, LIMIT, rounds) for what, work in _works(database)]
        database.dispose()
    return found


def enqueue(database: Database, runs: int) -> None:
    """Queue so many runs of mixed priorities; each thousandth demands two GPUs."""
    with database.writing() as session:
        dataset_id = add_dataset(session).id
        for first in range(0, runs, AT_ONCE):
            session.execute(
                insert(Run), [_row(dataset_id, k) for k in range(first, min(first + AT_ONCE, runs))]
            )


def _row(dataset_id: int, number: int) -> dict[str, object]:
    specification = RunSpecification.model_validate(
        {
            "dataset_id": dataset_id,
            "init": {"kind": "scratch"},
            "training": {"iterations": 90_000, "seed": number},
            "resources": {"priority": number % 3, "gpus": 2 if number % 1000 == 0 else None},
        }
    )
    moment = now()
    return {
        "name": f"queued {number}",
        "tags": ["sweep"],
        "specification": specification.model_dump(mode="json"),
        "dataset_id": dataset_id,
        "status": "queued",
        "priority": number % 3,
        "iterations": 90_000,
        "created_at": moment,
        "queued_at": moment,
    }


def _works(database: Database) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what workers and the sweeper do, each in a transaction as they have it."""
    works: dict[str, Callable[[Session], object]] = {
        "a claim": lambda session: queue.claim_next(session, "drill", LEASE_SECONDS, gpus=1),
        "the sweeper's look for expired leases": lambda session: queue.sweep_expired(session, 3),
        "its look for runs beside an idle worker": lambda session: queue.waiting_with_idle_worker(
            session, 10, 15
        ),
        "its look for waits in vain": queue.give_up_waiting,
        "its look for a run that waits too long": lambda session: queue.waiting_longer(session, 1800),
    }
    for what, work in works.items():
        yield what, partial(_in_transaction, database, work)


def _in_transaction(database: Database, work: Callable[[Session], object]) -> None:
    with database.writing() as session:
        work(session)
