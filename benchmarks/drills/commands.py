"""Processes of a drill: started, killed without warning, started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 60.0
"""That a process may take to answer again."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Command:
    """A long-running process and how one sees that it answers. `user` runs it where this process is root's."""

    name: str
    words: Sequence[str]
    folder: Path
    answers: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again and again until it answers; raise RuntimeError with its last words if it never does."""
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            if self.process is None or self.process.poll() is not None:
                self._spawn()
            if self.answers():
                return
            time.sleep(0.1)
        raise RuntimeError(f"{self.name} does not answer; it said last:\n{self.log.read_text()[-2000:]}")

    @property
    def log(self) -> Path:
        """What it printed."""
        return self.folder / f"{self.name}.log"

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(timeout=30)

    def end(self) -> None:
        """End it as an operator would."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.kill()

    def _spawn(self) -> None:
        as_user = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]
        prefix = as_user if self.user and os.geteuid() == 0 else []
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*prefix, *self.words],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={**_own_environment(), **self.environment},
                start_new_session=True,
            )


def _own_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("EIGENSCOPE_")}
