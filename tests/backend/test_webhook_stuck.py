"""Runs that stand still are told, once for each standstill."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from backend.database import Database
from backend.models import Run, RunWatch, WebhookEvent, Worker
from backend.models.base import now
from backend.runs import queue
from backend.webhooks import stuck
from backend.webhooks.stuck import StuckWatch

MINUTES = 10


@pytest.fixture
def watch() -> StuckWatch:
    return StuckWatch(MINUTES, silent_seconds=20, sure_seconds=0)


@pytest.fixture
def run_id(database: Database, dataset_id: int) -> int:
    with database.writing() as session:
        run = Run(name="r", specification={}, dataset_id=dataset_id, iterations=10)
        session.add(run)
        session.flush()
        return run.id


@pytest.fixture
def look(database: Database, watch: StuckWatch) -> Callable[[], list[int]]:
    def looked() -> list[int]:
        with database.writing() as session:
            return watch.look(session)

    return looked


def later(database: Database, minutes: float = MINUTES + 1) -> None:
    """Let time pass: what was noted is so much older."""
    with database.writing() as session:
        for one in session.scalars(select(RunWatch)):
            one.since -= timedelta(minutes=minutes)


def events(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        rows = session.scalars(select(WebhookEvent).order_by(WebhookEvent.id))
        return [(row.event, row.facts["error"]) for row in rows]


def progress(database: Database, run_id: int, **values: object) -> None:
    with database.writing() as session:
        queue.change(session, Run.id == run_id, **values)


def claimed(database: Database) -> None:
    with database.writing() as session:
        queue.claim_next(session, "w", 3600)


def test_a_running_run_that_stands_still_is_told_once(database: Database, look, run_id: int) -> None:
    claimed(database)
    assert look() == []
    later(database, MINUTES - 1)
    assert look() == []
    later(database, 2)
    assert look() == [run_id]
    assert look() == []
    ((event, words),) = events(database)
    assert event == "run.stuck"
    assert "has not moved for 10 minutes" in words


@pytest.mark.parametrize("moved", [{"iteration": 3}, {"phase": "evaluating"}])
def test_one_that_moves_is_not_told_and_one_that_stops_again_is(
    database: Database, look, run_id: int, moved: dict[str, object]
) -> None:
    claimed(database)
    look()
    later(database)
    progress(database, run_id, **moved)
    assert look() == []
    later(database)
    assert look() == [run_id]
    progress(database, run_id, iteration=7)
    look()
    later(database)
    assert look() == [run_id]
    assert len(events(database)) == 2


def test_a_queued_run_is_told_where_no_worker_lives(database: Database, look, run_id: int) -> None:
    look()
    later(database)
    assert look() == [run_id]
    assert "no worker lives" in events(database)[0][1]


def test_a_queued_run_beside_a_living_worker_only_waits(database: Database, look, run_id: int) -> None:
    with database.writing() as session:
        session.add(Worker(name="w", host="h", devices=[], run_id=77))
    look()
    later(database)
    assert look() == []
    with database.writing() as session:
        session.execute(update(Worker).values(seen_at=now() - timedelta(minutes=5)))
    # From now on no worker lives; the time before does not count.
    assert look() == []
    later(database)
    assert look() == [run_id]


def test_several_servers_tell_it_once(database: Database, look, run_id: int) -> None:
    claimed(database)
    look()
    later(database)
    others = [StuckWatch(MINUTES, 20, sure_seconds=0) for _ in range(2)]
    assert look() == [run_id]
    for other in others:
        with database.writing() as session:
            assert other.look(session) == []


def test_after_an_outage_it_looks_for_a_while_before_it_speaks(database: Database, run_id: int) -> None:
    claimed(database)
    watch = StuckWatch(MINUTES, 20, sure_seconds=60)
    with database.writing() as session:
        watch.look(session)
    later(database)
    with database.writing() as session:
        assert watch.look(session) == []
    assert events(database) == []


def test_what_ended_is_watched_no_more_and_zero_minutes_watch_nothing(
    database: Database, look, run_id: int
) -> None:
    claimed(database)
    look()
    with database.writing() as session:
        queue.finish(session, run_id, "w", "succeeded")
    look()
    with database.writing() as session:
        assert session.scalars(select(RunWatch)).all() == []
        assert StuckWatch(0, 20, sure_seconds=0).look(session) == []
        assert stuck.stuck(session) == 0


def test_of_servers_that_saw_it_at_the_same_time_one_tells(
    database: Database, look: Callable[[], list[int]], watch: StuckWatch, run_id: int
) -> None:
    claimed(database)
    look()
    with database.reading() as session:
        seen = stuck._running(session)
    told = []
    for server in (watch, StuckWatch(MINUTES, 20, sure_seconds=0)):
        with database.writing() as session:
            told.append(server._tell(session, seen[0]))
    assert told == [True, False]
    assert len(events(database)) == 1
