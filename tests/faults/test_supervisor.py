"""A supervisor whose database goes away: the trainer goes on, and how it ended is written when that is possible."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.models import Run
from backend.runs import queue
from backend.runs import repository as runs
from backend.settings import Settings
from tests.faults.conftest import OWNER, Place, until
from worker import supervisor
from worker.supervisor import Watch
from worker.trainer_process import FINISHED


class Trainer:
    """A process that ends when the test says so."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.killed = self.stopped = False

    def poll(self) -> int | None:
        return self.status

    def kill(self) -> None:
        self.killed, self.status = True, -9

    def stop(self) -> None:
        self.stopped, self.status = True, 3

    def new_lines(self, last: bool = False) -> list[str]:
        return ["its last words"] if last else []

    def error(self) -> str | None:
        return None


class Watched:
    """A supervision in a thread."""

    def __init__(self, place: Place, run_id: int, home: Path, attempts: int = 3) -> None:
        self.trainer, self.leaving = Trainer(), threading.Event()
        self.outcome: list[str] = []
        settings = Settings(home=home, lease_seconds=2, max_attempts=attempts, _env_file=None)
        presence: Any = type("P", (), {"worker_name": OWNER})
        process: Any = self.trainer

        def run() -> None:
            with place.client() as database:
                watch = Watch(database, settings, presence, self.leaving, run_id, process)
                self.outcome.append(watch.run())

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def ended(self) -> str:
        self.thread.join(30)
        assert not self.thread.is_alive()
        return self.outcome[0]


@pytest.fixture
def watch(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Watched]:
    monkeypatch.setattr(supervisor, "LOOK_SECONDS", 0.1)
    return lambda run_id, **more: Watched(place, run_id, tmp_path / "home", **more)


def log(place: Place, run_id: int) -> list[str]:
    with place.direct.reading() as session:
        return [line.text for line in session.query(runs.LogLine).filter_by(run_id=run_id)]


def test_its_run_is_swept_meanwhile_and_taken_back(
    place: Place, watch: Callable[..., Watched], caplog: pytest.LogCaptureFixture
) -> None:
    run_id = place.add_run()
    watched = watch(run_id)
    until(lambda: bool(place.run(run_id).lease_expires_at))
    place.cut()
    until(lambda: "the database does not answer" in caplog.text)
    time.sleep(0.5)
    assert caplog.text.count("the database does not answer") == 1
    place.restore()
    with place.direct.writing() as session:
        queue.change(session, Run.id == run_id, status="queued", lease_expires_at=None)
    until(lambda: place.run(run_id).status == "running")
    watched.trainer.status = FINISHED
    assert watched.ended() == "succeeded"
    assert (place.run(run_id).status, place.run(run_id).attempt) == ("succeeded", 1)
    assert log(place, run_id) == ["its last words"]


def test_its_run_was_claimed_by_another_meanwhile(place: Place, watch: Callable[..., Watched]) -> None:
    run_id = place.add_run()
    watched = watch(run_id)
    time.sleep(0.3)
    with place.direct.writing() as session:
        queue.change(session, Run.id == run_id, status="queued", lease_expires_at=None)
        assert queue.claim_next(session, "another", 60) == run_id
    assert watched.ended() == "taken away"
    assert watched.trainer.killed
    assert (place.run(run_id).lease_owner, place.run(run_id).status) == ("another", "running")


def test_the_trainer_ends_while_the_database_is_away(place: Place, watch: Callable[..., Watched]) -> None:
    run_id = place.add_run()
    place.cut()
    watched = watch(run_id)
    watched.trainer.status = FINISHED
    time.sleep(1)
    assert watched.outcome == []
    place.restore()
    assert watched.ended() == "succeeded"
    assert place.run(run_id).status == "succeeded"


def test_a_worker_that_leaves_does_not_wait_for_it(place: Place, watch: Callable[..., Watched]) -> None:
    run_id = place.add_run()
    place.cut()
    watched = watch(run_id)
    watched.leaving.set()
    assert watched.ended() == "left for another worker to find"
    assert watched.trainer.stopped
    place.restore()
    assert place.run(run_id).status == "running"


def test_a_killed_trainer_is_tried_again_until_the_last_attempt(
    place: Place, watch: Callable[..., Watched]
) -> None:
    run_id = place.add_run()
    for attempt, outcome in ((1, "queued again"), (2, "failed")):
        watched = watch(run_id, attempts=2)
        watched.trainer.status = -9
        assert watched.ended() == outcome
        assert place.run(run_id).attempt == attempt
        with place.direct.writing() as session:
            queue.claim_next(session, OWNER, 60)
    assert place.run(run_id).status == "failed"
    assert (place.run(run_id).error or "").startswith(
        "the trainer was ended by SIGKILL; if the machine ran out"
    )
    assert any("queued again and goes on from its last checkpoint" in line for line in log(place, run_id))
