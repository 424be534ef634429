"""Starts a server and a worker as children of one command, and ends them with it."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from backend.errors import Unavailable
from backend.settings import Settings
from eigenscope.server import address, demand_free_port

START_SECONDS = 60
LOOK_SECONDS = 0.5
SHORT_LIFE = 20.0
MOST_SHORT_LIVES = 3
_log = logging.getLogger(__name__)


@dataclass
class Children:
    """A server and its worker; `start` starts one of them by its command."""

    start: Callable[[str], subprocess.Popen[bytes]]
    server: subprocess.Popen[bytes]
    worker: subprocess.Popen[bytes]


@contextmanager
def server_and_worker(settings: Settings) -> Iterator[Children]:
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

    def start(command: str) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl+C reaches this process alone, which ends the children in order.
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "eigenscope", command, "--quiet"],
            env=environment,
            # Results are this command's to print; theirs would follow the last line of --json.
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    children = Children(start, start("serve"), start("worker"))
    try:
        _wait_for_server(settings, children.server)
        yield children
    finally:
        end([children.server, children.worker], settings.stop_grace_seconds + 20)


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


def wait_while_alive(children: Children) -> None:
    """Start the worker again whenever it has ended; return only when something is wrong.

    A worker leaves by itself when messages no longer reach it. Raises `Unavailable` when the server has ended, or when
    the worker ends again and again as soon as it has started.
    """
    born, short_lives = time.monotonic(), 0
    while children.server.poll() is None:
        status = children.worker.poll()
        if status is not None:
            lived = time.monotonic() - born
            short_lives = short_lives + 1 if lived < SHORT_LIFE else 0
            if short_lives >= MOST_SHORT_LIVES:
                raise Unavailable(
                    f"the worker ended {short_lives} times right after its start, last with exit status {status}; "
                    "see its words above"
                )
            _log.warning("the worker ended with exit status %d; it is started again", status)
            children.worker, born = children.start("worker"), time.monotonic()
        time.sleep(LOOK_SECONDS)
    raise Unavailable(f"the server ended with exit status {children.server.returncode}")
