"""A real server and a real worker, on the embedded default and on PostgreSQL with Redis."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

TINY_WIDTHS = {"stem": 8, "layer1": 8, "layer2": 16, "layer3": 16, "layer4": 32, "fpn": 16, "box_head": 32}
ENDED = ("succeeded", "failed", "cancelled", "lost")


class Stack:
    """One server and any number of workers as processes, driven through the REST API."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.home = folder / "home"
        self._folder = folder
        kept = {key: value for key, value in os.environ.items() if not key.startswith("EIGENSCOPE_")}
        self.environment = {
            **kept,
            "EIGENSCOPE_HOME": str(self.home),
            "EIGENSCOPE_DATA_ROOT": str(folder / "data"),
            "EIGENSCOPE_PORT": str(self.port),
            "EIGENSCOPE_HEARTBEAT_SECONDS": "1",
            "EIGENSCOPE_LEASE_SECONDS": "6",
            "EIGENSCOPE_STOP_GRACE_SECONDS": "60",
            **environment,
        }
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = httpx.Client(base_url=f"{self.url}/api/v1", timeout=60)
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, command: str) -> subprocess.Popen[bytes]:
        """Start `eigenscope COMMAND`."""
        with (self._folder / f"{command}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "eigenscope", command],
                env=self.environment,
                cwd=self._folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def up(self) -> None:
        """Migrate, then start the server and wait until it answers."""
        assert self.start("migrate").wait(60) == 0, self.log("migrate")
        self.start("serve")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if self.client.get("/health").is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(self.log("serve"))

    def log(self, command: str) -> str:
        """Return the last words of a command."""
        return (self._folder / f"{command}.log").read_text(errors="replace")[-4000:]

    def answer(self, method: str, path: str, **more: Any) -> Any:
        """Ask the API and demand success."""
        response = self.client.request(method, path, **more)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def launch(self, specification: dict[str, Any]) -> int:
        """Launch a run and return its number."""
        return int(self.answer("POST", "/runs", json=specification)["id"])

    def run(self, run_id: int) -> dict[str, Any]:
        """Return the run as it stands."""
        return dict(self.answer("GET", f"/runs/{run_id}"))

    def until(
        self, run_id: int, holds: Callable[[dict[str, Any]], bool], seconds: float = 180
    ) -> dict[str, Any]:
        """Return the run once `holds(run)`; fail with its log after `seconds`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            run = self.run(run_id)
            if holds(run):
                return run
            assert run["status"] not in ENDED, self.story(run)
            time.sleep(0.2)
        raise AssertionError(self.story(self.run(run_id)))

    def ended(self, run_id: int) -> dict[str, Any]:
        """Return the run once it has ended, however it did."""
        return self.until(run_id, lambda run: run["status"] in ENDED)

    def story(self, run: dict[str, Any]) -> str:
        """Return what is known of a run, for a failing test."""
        lines = self.answer("GET", f"/runs/{run['id']}/logs?last=30")["lines"]
        words = "\n".join(line["text"] for line in lines)
        state = f"run {run['id']} is {run['status']} ({run['error']}) at {run['progress']}"
        return f"{state}\n{words}\n{self.log('worker')}"

    def down(self) -> None:
        """End every process."""
        self.client.close()
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _embedded(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    yield {}


def _services(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    broker = request.getfixturevalue("redis_url")
    with request.getfixturevalue("new_postgres")() as database:
        yield {"EIGENSCOPE_DATABASE_URL": database, "EIGENSCOPE_BROKER_URL": broker}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(_embedded, id="embedded"),
        pytest.param(_services, id="services", marks=[pytest.mark.postgres, pytest.mark.redis]),
    ],
)
def environment(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    yield from request.param(request)


@pytest.fixture(scope="module")
def stack(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    started = Stack(tmp_path_factory.mktemp("stack"), environment)
    try:
        started.up()
        yield started
    finally:
        started.down()


@pytest.fixture(scope="module")
def dataset_id(stack: Stack) -> int:
    wanted = {"kind": "shapes", "name": "tiny", "train": 8, "val": 4, "size": 96}
    return int(stack.answer("POST", "/datasets", json=wanted)["id"])


@pytest.fixture
def specification(dataset_id: int) -> dict[str, Any]:
    return {
        "dataset_id": dataset_id,
        "model": {
            "architecture": "faster_rcnn",
            "backbone": "resnet18",
            "norm": "group",
            "widths": TINY_WIDTHS,
        },
        "init": {"kind": "scratch"},
        "training": {"iterations": 6, "batch_size": 2, "warmup": 2, "image_size": 96},
        "probe": {"images": 2, "every": 3},
    }


@pytest.fixture
def worker(stack: Stack) -> subprocess.Popen[bytes]:
    """Return the stack's worker, started anew where the test before has ended it."""
    living = [p for p in stack.processes if p.args[-1] == "worker" and p.poll() is None]  # type: ignore[index]
    return living[0] if living else stack.start("worker")
