"""Starts a server and a worker as children of one command, and ends them with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from backend.errors import Unavailable
from backend.settings import Settings
from eigenscope.server import address, demand_free_port

START_SECONDS = 60


@contextmanager
def server_and_worker(settings: Settings) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Yield the two running processes once the server answers; end both in good order at the end."""
    demand_free_port(settings)
    environment = {
        **os.environ,
        "EIGENSCOPE_HOME": str(settings.home),
        "EIGENSCOPE_DATA_ROOT": str(settings.data),
        "EIGENSCOPE_DATABASE_URL": settings.database,
        "EIGENSCOPE_BROKER_URL": settings.broker,
        "EIGENSCOPE_HOST": settings.host,
        "EIGENSCOPE_PORT": str(settings.port),
        "EIGENSCOPE_TOKEN": settings.token,
    }
    children = []
    try:
        for command in ("serve", "worker"):
            children.append(
                # A session of its own: Ctrl+C reaches this process alone, which ends the children in order.
                subprocess.Popen(  # noqa: S603
                    [sys.executable, "-m", "eigenscope", command, "--quiet"],
                    env=environment,
                    # Results are this command's to print; theirs would follow the last line of --json.
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )
        _wait_for_server(settings, children[0])
        yield children
    finally:
        end(children, settings.stop_grace_seconds + 20)


def _wait_for_server(settings: Settings, server: subprocess.Popen[bytes]) -> None:
    url = f"{address(settings)}/api/v1/health/live"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise Unavailable(
                f"the server ended at once with exit status {server.returncode}; see its words above"
            )
        if _answers(url):
            return
        time.sleep(0.1)
    raise Unavailable(f"the server did not answer at {url} within {START_SECONDS} s")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def end(children: list[subprocess.Popen[bytes]], patience: float) -> None:
    """End children: SIGTERM to all, SIGKILL to those that outstay `patience` seconds."""
    for child in children:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + patience
    for child in children:
        try:
            child.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def wait_while_alive(children: list[subprocess.Popen[bytes]]) -> None:
    """Return only when a child has ended by itself: then something is wrong."""
    while all(child.poll() is None for child in children):
        time.sleep(0.5)
    names = {0: "server", 1: "worker"}
    gone = next(k for k, child in enumerate(children) if child.poll() is not None)
    raise Unavailable(f"the {names[gone]} ended with exit status {children[gone].returncode}")
