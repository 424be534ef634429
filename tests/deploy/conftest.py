"""Reads docker-compose.yml as Compose would, and runs its services as local processes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?P<kind>:-|:\?)?(?P<rest>[^}]*)\})")
UNITS = {"s": 1, "m": 60, "h": 3600}


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the whole project."""
    return ROOT


@pytest.fixture(scope="session")
def compose() -> dict[str, Any]:
    """Return docker-compose.yml as it stands where no variable is set."""
    return interpolated(yaml.safe_load((ROOT / "docker-compose.yml").read_text()), {})


def interpolated(value: Any, variables: dict[str, str]) -> Any:
    """Return `value` with `${NAME}`, `${NAME:-default}`, `${NAME:?sentence}` and `$$` filled in everywhere."""
    if isinstance(value, dict):
        return {key: interpolated(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [interpolated(inner, variables) for inner in value]
    return VARIABLE.sub(lambda match: _filled(match, variables), value) if isinstance(value, str) else value


def _filled(match: re.Match[str], variables: dict[str, str]) -> str:
    if match["name"] is None:
        return "$"
    found = variables.get(match["name"], "")
    if not found and match["kind"] == ":?":
        raise ValueError(f"{match['name']}: {match['rest']}")
    return found or (match["rest"] if match["kind"] == ":-" else "")


def seconds(duration: str | int) -> float:
    """Return a Compose duration such as `2m30s` in seconds."""
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(r"([\d.]+)([smh])", str(duration)))


class Deployment:
    """The services that this project builds, as local processes; PostgreSQL and Redis stand elsewhere.

    A service keeps its own command and environment. Replaced are only what containers would bring: the
    host names of PostgreSQL and Redis, the folders of volumes, and the port, since 8000 may be taken.
    """

    def __init__(self, services: dict[str, Any], hosts: dict[str, str], folder: Path) -> None:
        self.services = {name: service for name, service in services.items() if "profiles" not in service}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._hosts = hosts
        self._folder = folder
        self.port = _free_port()

    def up(self) -> None:
        """Start every service when what it depends on is as it demands."""
        started: set[str] = set()
        while len(started) < len(self.services):
            ready = [
                name
                for name, service in self.services.items()
                if name not in started and started >= set(service.get("depends_on", {}))
            ]
            assert ready, f"depends_on goes in a circle among {set(self.services) - started}"
            for name in ready:
                for needed, demand in self.services[name].get("depends_on", {}).items():
                    self._await(needed, demand["condition"])
                if "build" in self.services[name]:
                    self._start(name)
                started.add(name)

    def path(self, inside: str) -> Path:
        """Return the local folder that stands for a folder inside the containers."""
        folder = self._folder / inside.strip("/").replace("/", "-")
        folder.mkdir(exist_ok=True)
        return folder

    def log(self, name: str) -> str:
        """Return what a service has printed."""
        return (self._folder / f"{name}.log").read_text(errors="replace")

    def healthy(self, name: str) -> bool:
        """Run a service's own health check once."""
        check = self.services[name]["healthcheck"]
        assert check["test"][0] == "CMD"
        command = [self._local(name, word) for word in check["test"][1:]]
        environment = self._environment(name)
        return (
            subprocess.run(
                command,
                env=environment,
                cwd=self._folder,
                timeout=seconds(check["timeout"]),
                capture_output=True,
            ).returncode
            == 0
        )

    def stop(self, name: str) -> int:
        """Ask a service to end as Compose does; return its exit status, or fail past the grace period."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(seconds(self.services[name].get("stop_grace_period", "10s")))
        except subprocess.TimeoutExpired:
            _kill(process)
            pytest.fail(f"{name} outlived its grace period; its log ends:\n{self.log(name)[-3000:]}")

    def kill(self) -> None:
        """End at once what still runs."""
        for process in self.processes.values():
            _kill(process)

    def _start(self, name: str) -> None:
        with (self._folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [self._local(name, word) for word in self.services[name]["command"]],
                env=self._environment(name),
                cwd=self._folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _await(self, name: str, condition: str) -> None:
        if "build" not in self.services[name]:
            return
        if condition == "service_completed_successfully":
            status = self.processes[name].wait(60)
            assert status == 0, f"{name} ended with {status}:\n{self.log(name)}"
        elif condition == "service_healthy":
            self.await_healthy(name)

    def await_healthy(self, name: str) -> None:
        """Wait for a service's health check as long as Compose would."""
        check = self.services[name]["healthcheck"]
        patience = seconds(check.get("start_period", "0s")) + check["retries"] * seconds(check["interval"])
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if self.healthy(name):
                return
            ended = self.processes[name].poll()
            assert ended is None, f"{name} ended with {ended}:\n{self.log(name)}"
            time.sleep(0.3)
        pytest.fail(f"{name} did not become healthy; its log ends:\n{self.log(name)[-3000:]}")

    def _environment(self, name: str) -> dict[str, str]:
        given = {key: self._local(name, value) for key, value in self.services[name]["environment"].items()}
        return {"PATH": f"{Path(sys.executable).parent}:{os.defpath}", "HOME": str(self._folder), **given}

    def _local(self, name: str, text: str) -> str:
        host = urlsplit(text).hostname if "://" in text and " " not in text else None
        if host in self._hosts:
            return self._hosts[host]
        for volume in self.services[name].get("volumes", []):
            inside = volume.split(":")[1]
            if text == inside or text.startswith(f"{inside}/"):
                return str(self.path(inside)) + text.removeprefix(inside)
        return re.sub(r"(?<![\d.])8000(?!\d)", str(self.port), text)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def deployment(
    compose: dict[str, Any],
    new_postgres: Callable[[], AbstractContextManager[str]],
    redis_url: str,
    tmp_path: Path,
) -> Iterator[Deployment]:
    """Yield the composition, not yet started, on an empty PostgreSQL database and an empty Redis."""
    with new_postgres() as postgres_url:
        deployed = Deployment(compose["services"], {"postgres": postgres_url, "redis": redis_url}, tmp_path)
        try:
            yield deployed
        finally:
            deployed.kill()
