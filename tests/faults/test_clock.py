"""Clocks that are wrong or jump: leases follow the database's, and whoever lives keeps its run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend import database as database_module
from backend.database import clock
from backend.runs import queue, service
from backend.system import repository
from backend.system.sweeper import Steadiness, Sweeper
from tests.faults.conftest import OWNER, Place

HOUR = timedelta(hours=1)


class Shifted(datetime):
    """This machine's clock, wrong by `by`."""

    by = timedelta(0)

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return datetime.now(tz) + cls.by


@pytest.fixture
def own_clock(monkeypatch: pytest.MonkeyPatch) -> type[Shifted]:
    """Let the clock that this process reads be set."""
    monkeypatch.setattr(database_module, "datetime", Shifted)
    monkeypatch.setattr(Shifted, "by", timedelta(0))
    return Shifted


class Bell:
    """A broker that only remembers."""

    def __init__(self) -> None:
        self.rung: list[int] = []

    def ring(self, run_id: int) -> bool:
        self.rung.append(run_id)
        return True


def sweeper(place: Place) -> Sweeper:
    given = {"lease_seconds": 60.0, "heartbeat_seconds": 5.0, "max_attempts": 3, "stuck_minutes": 0.0}
    settings: Any = type("S", (), given)
    return Sweeper(place.direct, Bell(), settings)  # type: ignore[arg-type]


def renew(place: Place, run_id: int, owner: str = OWNER) -> bool:
    with place.direct.writing() as session:
        return queue.renew(session, run_id, owner, 60)


def only_postgres(place: Place) -> None:
    if place.url.startswith("sqlite"):
        pytest.skip("SQLite has no clock of its own: its processes share one machine's")


@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["fast", "slow"])
def test_a_machine_whose_clock_is_wrong_neither_loses_nor_steals(
    place: Place, own_clock: type[Shifted], by: timedelta
) -> None:
    only_postgres(place)
    run_id = place.add_run(lease_expires_at=datetime.now(UTC) + timedelta(seconds=60))
    own_clock.by = by
    with place.direct.writing() as session:
        assert abs(clock(session) - datetime.now(UTC)) < timedelta(seconds=5)
        assert queue.sweep_expired(session, 3) == []
        repository.say_alive(session, "w", "h", [], None)
    assert renew(place, run_id)
    left = place.run(run_id).lease_expires_at - datetime.now(UTC)  # type: ignore[operator]
    assert timedelta(seconds=50) < left < timedelta(seconds=61)
    with place.direct.reading() as session:
        (worker,) = repository.workers(session)
        assert abs(worker.seen_at - datetime.now(UTC)) < timedelta(seconds=5)


def test_the_databases_clock_jumps_forward_and_nobody_is_swept(
    place: Place, own_clock: type[Shifted]
) -> None:
    if not place.url.startswith("sqlite"):
        pytest.skip("this machine's PostgreSQL is not to have its clock set")
    run_id = place.add_run(lease_expires_at=datetime.now(UTC) + timedelta(seconds=60))
    sweeping = sweeper(place)
    assert sweeping.sweep() == []
    own_clock.by = HOUR
    assert sweeping.sweep() == []
    assert place.run(run_id).status == "running"
    assert renew(place, run_id)
    assert sweeping.sweep() == []


def test_the_databases_clock_jumps_back_and_the_dead_are_still_found(
    place: Place, own_clock: type[Shifted]
) -> None:
    # The lease was given an hour ago by what the clock says now to be an hour ahead.
    run_id = place.add_run(lease_expires_at=datetime.now(UTC) + HOUR)
    recorded = place.add_run(None, origin="recorded", lease_expires_at=datetime.now(UTC) + HOUR)
    sweeper(place).sweep()
    left = place.run(run_id).lease_expires_at - datetime.now(UTC)  # type: ignore[operator]
    assert left < timedelta(seconds=61)
    kept = place.run(recorded).lease_expires_at - datetime.now(UTC)  # type: ignore[operator]
    assert kept > timedelta(minutes=59)


def test_after_the_database_was_away_the_living_have_a_lease_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = [100.0]
    monkeypatch.setattr("backend.system.sweeper.time.monotonic", lambda: passed[0])
    steadiness, start = Steadiness(60), datetime.now(UTC)
    assert steadiness.judges(start)
    steadiness.disturbed()
    for seconds, judged in ((5, False), (59, False), (61, True)):
        passed[0] = 100.0 + seconds
        assert steadiness.judges(start + timedelta(seconds=seconds)) is judged
    passed[0] += 5
    assert not steadiness.judges(start + timedelta(seconds=66) - HOUR), "a jump backwards is one too"


def test_a_run_swept_too_early_is_taken_back_unless_another_has_it(place: Place) -> None:
    for status, taken in (("queued", False), ("lost", False), ("queued", True), ("cancelled", None)):
        run_id = place.add_run(status=status, lease_expires_at=None, error="silent")
        if taken:
            with place.direct.writing() as session:
                assert queue.claim_next(session, "another", 60) is not None
        assert renew(place, run_id) is (taken is False)
        run = place.run(run_id)
        if taken is False:
            assert (run.status, run.attempt, run.error, run.lease_owner) == ("running", 1, None, OWNER)


@pytest.mark.parametrize(("attempts", "status"), [(3, "queued"), (1, "lost")])
def test_sweeping_leaves_a_run_to_the_worker_that_was_cut_off(
    place: Place, attempts: int, status: str
) -> None:
    run_id = place.add_run(lease_expires_at=datetime.now(UTC) - HOUR)
    with place.direct.writing() as session:
        queue.sweep_expired(session, attempts)
    assert place.run(run_id).status == status
    assert renew(place, run_id)
    assert (place.run(run_id).status, place.run(run_id).attempt) == ("running", 1)


def test_what_a_person_queues_again_is_no_longer_the_workers(place: Place) -> None:
    run_id = place.add_run(lease_expires_at=datetime.now(UTC) - HOUR)
    with place.direct.writing() as session:
        queue.sweep_expired(session, 1)
        service.retry(session, run_id)
    assert not renew(place, run_id)


def test_a_trainer_ended_from_outside_is_tried_again_so_often_and_no_more(place: Place) -> None:
    run_id = place.add_run(attempt=2)
    with place.direct.writing() as session:
        assert queue.try_again(session, run_id, OWNER, 3)
        assert queue.claim_next(session, OWNER, 60) == run_id
        assert not queue.try_again(session, run_id, OWNER, 3)
        assert not queue.try_again(session, run_id, "another", 9)
    assert (place.run(run_id).status, place.run(run_id).attempt) == ("running", 3)
