"""The trainer as a process group of its own: started, asked to stop, ended, and its words read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.observability.lines import as_words
from backend.settings import Settings

LONGEST_LINE = 4000
SECONDS_FROM_TERM_TO_KILL = 10.0

FINISHED = 0
STOPPED = 3
FAILED = 4


@contextmanager
def _held(number: signal.Signals) -> Iterator[None]:
    """Let a process that starts within inherit `number` blocked: it is then heard once there is a handler for it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class TrainerProcess:
    """`python -m worker.training.train --run ID`, printing to `trainer.log` in the run's folder.

    Where several GPUs share the run it is `worker.training.launch`, which starts a trainer for each.
    """

    def __init__(self, settings: Settings, run_id: int, lease_owner: str, processes: int = 1) -> None:
        self._grace = settings.stop_grace_seconds
        self._folder = settings.run_folder(run_id)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._error_file.unlink(missing_ok=True)
        self._log_path = self._folder / "trainer.log"
        self._read_to = self._log_path.stat().st_size if self._log_path.exists() else 0
        self._rest = b""
        self._asked = False
        self._steps: list[tuple[float, signal.Signals]] = []
        environment = {
            **os.environ,
            "EIGENSCOPE_HOME": str(settings.home),
            "EIGENSCOPE_DATABASE_URL": settings.database,
            "EIGENSCOPE_DATA_ROOT": str(settings.data),
            "EIGENSCOPE_LEASE_OWNER": lease_owner,
            "EIGENSCOPE_LOG_FORMAT": settings.log_format,
            "EIGENSCOPE_SUPERVISOR": str(os.getpid()),
            "PYTHONUNBUFFERED": "1",
            # Threads that spin while they wait make a trainer ten times slower beside any other busy process.
            "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"),
        }
        command = [sys.executable, "-m", "worker.training.train", "--run", str(run_id)]
        if processes > 1:
            command[2:] = ["worker.training.launch", "--run", str(run_id), "--processes", str(processes)]
        with self._log_path.open("ab") as log, _held(signal.SIGUSR1):
            self._process = subprocess.Popen(  # noqa: S603
                command, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
            )

    @property
    def _error_file(self) -> Path:
        return self._folder / "error.txt"

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs; sends the next signal when its time has come."""
        while self._steps and time.monotonic() >= self._steps[0][0]:
            self._signal(self._steps.pop(0)[1])
        return self._process.poll()

    def stop(self) -> None:
        """Ask it to stop at the next iteration and save; then SIGTERM, then SIGKILL, each in its time."""
        if self._asked:
            return
        self._asked = True
        self._signal(signal.SIGUSR1)
        end = time.monotonic() + self._grace
        self._steps = [(end, signal.SIGTERM), (end + SECONDS_FROM_TERM_TO_KILL, signal.SIGKILL)]

    def kill(self) -> None:
        """End it and everything it started, now."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is not None:
            return
        try:
            if number is signal.SIGUSR1:
                self._process.send_signal(number)
            else:
                os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return

    def new_lines(self, last: bool = False) -> list[str]:
        """Return the whole lines printed since the call before, as words; `last` also takes an unfinished one."""
        with self._log_path.open("rb") as log:
            log.seek(self._read_to)
            read = log.read()
        self._read_to += len(read)
        *lines, self._rest = (self._rest + read).split(b"\n")
        if last and self._rest:
            lines, self._rest = [*lines, self._rest], b""
        decoded = [line.decode(errors="replace").replace("\0", "") for line in lines]
        return [words[:LONGEST_LINE] for line in decoded for words in as_words(line)]

    def error(self) -> str | None:
        """Return the sentence of a failure that the trainer understood."""
        if not self._error_file.exists():
            return None
        return self._error_file.read_text(errors="replace").strip() or None
