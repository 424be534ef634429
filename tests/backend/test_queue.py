"""Claims, leases and hand-backs: one owner at a time, nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from backend.database import Database
from backend.models import Run, Worker
from backend.models.base import now
from backend.runs import queue


@pytest.fixture
def add_run(database: Database, dataset_id: int) -> Callable[..., int]:
    def add(**values: object) -> int:
        with database.writing() as session:
            given = {"name": "r", "specification": {}, "dataset_id": dataset_id, "iterations": 10} | values
            run = Run(**given)
            session.add(run)
            session.flush()
            return run.id

    return add


def claim(database: Database, owner: str = "w", lease: float = 60) -> int | None:
    with database.writing() as session:
        return queue.claim_next(session, owner, lease)


def state(database: Database, run_id: int) -> Run:
    with database.reading() as session:
        run = session.get(Run, run_id)
        assert run is not None
        return run


def test_the_order_is_priority_then_age(database: Database, add_run) -> None:
    first, urgent, last = add_run(), add_run(priority=5), add_run()
    assert [claim(database) for _ in range(4)] == [urgent, first, last, None]


def test_many_workers_never_claim_one_run_twice(database: Database, add_run) -> None:
    ids = [add_run() for _ in range(12)]
    with ThreadPoolExecutor(6) as pool:
        claimed = list(pool.map(lambda k: claim(database, f"w{k}"), range(24)))
    got = [run_id for run_id in claimed if run_id is not None]
    assert len(got) == len(set(got))
    # A worker that lost a race for all eight candidates may come back empty; another look takes the rest.
    while (run_id := claim(database)) is not None:
        got.append(run_id)
    assert sorted(got) == ids


def test_a_worker_leaves_runs_to_others_that_demand_more_gpus_than_it_has(
    database: Database, add_run
) -> None:
    demands = [2, 1, 0, None]
    two, one, none, whatever = (add_run(specification={"resources": {"gpus": gpus}}) for gpus in demands)
    with database.writing() as session:
        claimed = [queue.claim_next(session, "w", 60, gpus) for gpus in (0, 0, 0, 1, 1, 2)]
    assert claimed == [none, whatever, None, one, None, two]


def test_only_the_owner_may_write(database: Database, add_run) -> None:
    run_id = add_run()
    claim(database, "mine")
    with database.writing() as session:
        assert not queue.renew(session, run_id, "other", 60)
        assert not queue.finish(session, run_id, "other", "succeeded")
        assert queue.renew(session, run_id, "mine", 60)
        assert queue.finish(session, run_id, "mine", "succeeded")
        assert not queue.finish(session, run_id, "mine", "failed")
    assert state(database, run_id).status == "succeeded"


def test_an_expired_lease_is_queued_again_then_lost(database: Database, add_run) -> None:
    run_id = add_run()
    for attempt in (1, 2):
        claim(database, lease=-1)
        assert state(database, run_id).attempt == attempt
        with database.writing() as session:
            swept = queue.sweep_expired(session, max_attempts=2)
        assert swept == ([run_id] if attempt == 1 else [])
    lost = state(database, run_id)
    assert lost.status == "lost"
    assert "retry" in (lost.error or "")


def test_a_live_lease_is_left_alone(database: Database, add_run) -> None:
    run_id = add_run()
    claim(database)
    with database.writing() as session:
        assert queue.sweep_expired(session, 3) == []
    assert state(database, run_id).status == "running"


def test_a_cancelled_run_whose_worker_died_ends_cancelled(database: Database, add_run) -> None:
    run_id = add_run()
    claim(database, lease=-1)
    with database.writing() as session:
        queue.change(session, Run.id == run_id, stop_requested=True)
        assert queue.sweep_expired(session, 3) == []
    assert state(database, run_id).status == "cancelled"


def test_handing_back_does_not_count_as_an_attempt(database: Database, add_run) -> None:
    run_id = add_run()
    claim(database, "w")
    with database.writing() as session:
        assert queue.hand_back(session, run_id, "w")
    handed = state(database, run_id)
    assert (handed.status, handed.attempt, handed.lease_owner) == ("queued", 0, None)


def test_the_bell_is_rung_again_only_beside_an_idle_worker(database: Database, add_run) -> None:
    run_id = add_run(queued_at=now() - timedelta(seconds=60))
    add_run()
    with database.writing() as session:
        assert queue.waiting_with_idle_worker(session, 10, 20) == []
        session.add(Worker(name="idle", host="h", devices=[]))
        session.add(Worker(name="busy", host="h", devices=[], run_id=77))
        session.flush()
        assert queue.waiting_with_idle_worker(session, 10, 20) == [run_id]
        session.get_one(Run, run_id).specification = {"resources": {"gpus": 1}}
        session.flush()
        assert queue.waiting_with_idle_worker(session, 10, 20) == []


def test_every_change_raises_the_revision(database: Database, add_run) -> None:
    run_id = add_run()
    before = state(database, run_id).revision
    claim(database)
    assert state(database, run_id).revision == before + 1
