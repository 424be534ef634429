"""One look at the runs serves all who listen, and tells what was measured apart from how far runs are."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import numpy as np
import pytest
from sqlalchemy.exc import OperationalError

from backend.database import Database
from backend.measurements import repository as measurements
from backend.measurements.records import LayerRow, SpectrumRow
from backend.models import Run
from backend.runs import queue
from backend.runs.specification import RunSpecification
from backend.system import changes
from backend.system.changes import Change, Changes, Listener
from tests import coroutines

WITHIN = 10.0
"""Seconds in which a listener must have heard."""


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "PAUSE_SECONDS", 0.02)


@pytest.fixture
def run_ids(database: Database, specification: RunSpecification) -> list[int]:
    said = specification.model_dump(mode="json")
    with database.writing() as session:
        runs = [
            Run(name=f"run {k}", specification=said, dataset_id=said["dataset_id"], iterations=100)
            for k in (0, 1)
        ]
        session.add_all(runs)
        session.flush()
        measurements.write_layers(session, runs[0].id, [LayerRow(0, "conv1", "conv", "stem", 2)])
        return [run.id for run in runs]


def move_on(database: Database, run_id: int, **values: Any) -> None:
    with database.writing() as session:
        queue.change(session, Run.id == run_id, **values)


def measure(database: Database, run_id: int) -> None:
    with database.writing() as session:
        queue.change(session, Run.id == run_id)
        row = SpectrumRow(0, np.array([2.0, 1.0]), 2, 3.0, 2.0, 1, 8)
        measurements.write_spectra(session, run_id, 0, [row])


async def next_change(listener: Listener) -> Change:
    while True:
        heard = await asyncio.wait_for(listener.hear(), WITHIN)
        assert heard is not None
        if heard.changed or heard.deleted:
            return heard


def within(work: Coroutine[Any, Any, None]) -> None:
    coroutines.run(work)


def test_what_was_measured_is_told_apart_from_how_far_a_run_is(
    database: Database, run_ids: list[int]
) -> None:
    first, second = run_ids

    async def listen() -> None:
        async with Changes(database).listening() as listener:
            move_on(database, first, iteration=3)
            assert await next_change(listener) == Change([first], [], [])
            measure(database, first)
            assert await next_change(listener) == Change([first], [first], [])
            move_on(database, second, status="running")
            assert await next_change(listener) == Change([second], [second], [])
            move_on(database, second, ap=0.3)
            assert await next_change(listener) == Change([second], [second], [])
            with database.writing() as session:
                session.delete(session.get_one(Run, second))
            assert await next_change(listener) == Change([], [], [second])

    within(listen())


def test_a_new_run_has_everything_to_show(
    database: Database, run_ids: list[int], specification: RunSpecification
) -> None:
    async def listen() -> None:
        async with Changes(database).listening() as listener:
            said = specification.model_dump(mode="json")
            with database.writing() as session:
                run = Run(name="new", specification=said, dataset_id=said["dataset_id"], iterations=1)
                session.add(run)
                session.flush()
                new = run.id
            assert await next_change(listener) == Change([new], [new], [])

    within(listen())


def test_however_many_listen_the_database_is_asked_once(
    database: Database, run_ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    plain = changes.Watched.look

    def counted(watched: changes.Watched) -> Change:
        looks.append(1)
        return plain(watched)

    monkeypatch.setattr(changes.Watched, "look", counted)

    async def listen(one: Changes, number: int) -> None:
        async with one.listening() as listener:
            if not number:
                move_on(database, run_ids[0], iteration=1)
            assert (await next_change(listener)).changed == [run_ids[0]]

    async def many() -> None:
        one = Changes(database)
        await asyncio.gather(*(listen(one, number) for number in range(30)))
        # Nobody listens any more: the looking ends, and begins again with the next who does.
        await asyncio.sleep(0.2)
        before = len(looks)
        await asyncio.sleep(0.2)
        assert len(looks) == before
        await asyncio.gather(*(listen(one, number) for number in range(2)))

    within(many())
    assert len(looks) < 30


def test_one_who_was_not_heard_from_for_long_hears_of_every_run_once() -> None:
    async def listen() -> None:
        listener = Listener()
        for _ in range(1000):
            listener.tell(Change([1, 2], [2], []))
        listener.tell(Change([], [], [1]))
        assert await listener.hear() == Change([2], [2], [1])

    within(listen())


def test_a_database_that_goes_away_ends_the_streams(
    database: Database, run_ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def listen() -> None:
        one = Changes(database)
        async with one.listening() as listener:
            with monkeypatch.context() as patched:
                patched.setattr(changes.Watched, "look", _away)
                while await asyncio.wait_for(listener.hear(), WITHIN) is not None:
                    pass
        async with one.listening() as listener:
            move_on(database, run_ids[1], iteration=5)
            assert (await next_change(listener)).changed == [run_ids[1]]

    within(listen())


def _away(_watched: changes.Watched) -> Change:
    raise OperationalError("SELECT", {}, Exception("the server closed the connection"))
