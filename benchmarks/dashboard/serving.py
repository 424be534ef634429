"""Servers as their users start them, each a process of its own on a free port of 127.0.0.1."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

RIVALS = Path(__file__).resolve().parents[2] / ".venv-rivals" / "bin"
"""Where `make setup-rivals` puts TensorBoard and MLflow."""
SECONDS = 180.0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def serving(command: Sequence[str], address: str, extra: Mapping[str, str] | None = None) -> Iterator[None]:
    """Run a server until the block ends. Raises RuntimeError where it does not answer."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | dict(extra or {})
    )
    try:
        _wait(process, address)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(process: subprocess.Popen[bytes], address: str) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server at {address} ended with exit status {process.returncode}")
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    raise RuntimeError(f"nothing answered at {address} within {SECONDS:.0f} s")


@contextmanager
def ours(home: Path) -> Iterator[str]:
    """Serve the database below `home`; yield the address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "eigenscope", "serve", "--port", str(port)]
    with serving(command, f"{address}/api/v1/health", {"EIGENSCOPE_HOME": str(home)}):
        yield address


@contextmanager
def tensorboard(folder: Path) -> Iterator[str]:
    """Serve event files; yield the address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [
        str(RIVALS / "tensorboard"),
        "--logdir",
        str(folder),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with serving(command, address):
        yield address


@contextmanager
def mlflow(folder: Path) -> Iterator[str]:
    """Serve an MLflow store; yield the address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    store = ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    place = ["--default-artifact-root", str(folder / "artifacts"), "--host", "127.0.0.1", "--port", str(port)]
    with serving([str(RIVALS / "mlflow"), "server", *store, *place, "--workers", "1"], address):
        yield address
