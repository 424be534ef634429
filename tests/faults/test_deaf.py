"""Redis that is away, flushed, or out of a worker's hearing: runs start all the same."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import redis

from backend.database import Database
from backend.errors import Unavailable
from eigenscope import processes
from tests.faults.proxy import proxied
from tests.jobs.conftest import Stack
from worker.watchdog import EXIT_STATUS, Watchdog


class OwnRedis:
    """A Redis server of the test's own, that may be ended and flushed."""

    def __init__(self, folder: Path, program: str) -> None:
        self._folder, self._program = folder, program
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, empty."""
        options = ["--port", str(self.port), "--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        self._process = subprocess.Popen([self._program, *options], stdout=subprocess.DEVNULL)
        for _ in range(100):
            try:
                with redis.Redis(port=self.port) as client:
                    client.ping()
                    return
            except redis.ConnectionError:
                time.sleep(0.1)
        raise AssertionError("redis-server did not start")

    def flush(self) -> None:
        with redis.Redis(port=self.port) as client:
            client.flushall()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def own_redis(tmp_path: Path, absent: Callable[[str], NoReturn]) -> Iterator[OwnRedis]:
    program = shutil.which("redis-server")
    if program is None:
        absent("needs redis-server on the PATH: apt-get install redis-server")
    server = OwnRedis(tmp_path, program)
    yield server
    server.stop()


def specification(stack: Stack) -> dict[str, Any]:
    wanted = {"kind": "shapes", "name": "tiny", "train": 8, "val": 4, "size": 96}
    dataset_id = int(stack.answer("POST", "/datasets", json=wanted)["id"])
    widths = {"stem": 8, "layer1": 8, "layer2": 16, "layer3": 16, "layer4": 32}
    return {
        "dataset_id": dataset_id,
        "model": {"architecture": "classifier", "backbone": "resnet18", "norm": "group", "widths": widths},
        "init": {"kind": "scratch"},
        "training": {"iterations": 2, "batch_size": 2, "warmup": 1, "image_size": 96},
        "probe": {"images": 0},
    }


@pytest.mark.slow
@pytest.mark.redis
@pytest.mark.timeout(300)
def test_a_redis_that_is_away_and_one_that_forgot_everything(tmp_path: Path, own_redis: OwnRedis) -> None:
    stack = Stack(tmp_path, {"EIGENSCOPE_BROKER_URL": f"redis://127.0.0.1:{own_redis.port}/0"})
    try:
        stack.up()
        tiny = specification(stack)
        worker = stack.start("worker")
        assert stack.ended(stack.launch(tiny))["status"] == "succeeded"
        own_redis.stop()
        waiting = stack.launch(tiny)
        time.sleep(4)
        assert stack.run(waiting)["status"] == "queued"
        assert worker.poll() is None, "to leave would not bring Redis back"
        own_redis.start()
        own_redis.flush()
        assert stack.ended(waiting)["status"] == "succeeded"
    finally:
        stack.down()


@pytest.mark.slow
@pytest.mark.redis
@pytest.mark.timeout(300)
def test_a_worker_that_hears_nothing_leaves_and_the_next_one_starts_the_run(
    tmp_path: Path, own_redis: OwnRedis
) -> None:
    with proxied("127.0.0.1", own_redis.port) as proxy:
        stack = Stack(tmp_path, {"EIGENSCOPE_BROKER_URL": f"redis://127.0.0.1:{own_redis.port}/0"})
        try:
            stack.up()
            tiny = specification(stack)
            stack.environment["EIGENSCOPE_BROKER_URL"] = f"redis://127.0.0.1:{proxy.port}/0"
            deaf = stack.start("worker")
            assert stack.ended(stack.launch(tiny))["status"] == "succeeded"
            proxy.swallow()
            run_id = stack.launch(tiny)
            assert deaf.wait(90) == EXIT_STATUS, stack.log("worker")
            assert stack.run(run_id)["status"] == "queued"
            stack.start("worker")
            assert stack.ended(run_id)["status"] == "succeeded"
        finally:
            stack.down()


class Bell:
    def __init__(self, works: bool) -> None:
        self.works, self.rung = works, 0

    def ring(self, _run_id: int) -> bool:
        self.rung += 1
        return self.works


class Idle:
    working_on: int | None = None


@pytest.mark.parametrize("works", [True, False])
def test_only_one_who_should_have_heard_is_deaf(monkeypatch: pytest.MonkeyPatch, works: bool) -> None:
    passed, bell, left = [0.0], Bell(works), []
    settings: Any = type("S", (), {"heartbeat_seconds": 5.0})
    database: Any = Database("sqlite://")
    dog = Watchdog(database, bell, settings, Idle(), lambda: left.append(1))  # type: ignore[arg-type]
    monkeypatch.setattr("worker.watchdog.time.monotonic", lambda: passed[0])
    monkeypatch.setattr(dog, "_waiting", lambda: 7)
    dog.look()
    passed[0] = 19
    dog.look()
    dog.heard()
    passed[0] = 25
    dog.look()
    assert (left, dog.deaf) == ([], False)
    passed[0] = 46
    dog.look()
    assert (bool(left), dog.deaf) == (works, works)
    database.dispose()


def started(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code])


def test_up_starts_its_worker_again_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LOOK_SECONDS", 0.05)
    commands: list[str] = []

    def start(command: str) -> subprocess.Popen[bytes]:
        commands.append(command)
        return started(f"raise SystemExit({EXIT_STATUS})")

    server = started("import time; time.sleep(60)")
    children = processes.Children(start, server, start("worker"))
    try:
        with pytest.raises(Unavailable, match="the worker ended 3 times right after its start, last with"):
            processes.wait_while_alive(children)
    finally:
        server.kill()
        server.wait()
        children.worker.wait()
    assert commands == ["worker"] * 3
    with pytest.raises(Unavailable, match="the server ended with exit status -9"):
        processes.wait_while_alive(children)
