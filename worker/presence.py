"""How a worker says that it lives, and what GPUs its machine has, without touching CUDA."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import subprocess
import threading
import time
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from backend.database import Database
from backend.settings import Settings
from backend.system import repository

_log = logging.getLogger(__name__)

SECONDS_BETWEEN_DEVICES = 15.0
"""nvidia-smi takes up to a second."""


def devices() -> list[dict[str, Any]]:
    """Return `[{"name", "memory_bytes", "memory_used_bytes"}]` of the visible NVIDIA GPUs, as nvidia-smi tells; empty
    without. What is used is null where it is not told, as of a slice of a card (MIG).
    """
    command = shutil.which("nvidia-smi")
    if command is None:
        return []
    query = [command, "--query-gpu=index,name,memory.total,memory.used", "--format=csv,noheader,nounits"]
    try:
        output = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        _log.warning("nvidia-smi is there but does not answer (%s); the System page shows no GPU", error)
        return []
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    rows = [[part.strip() for part in line.split(",")] for line in output.splitlines() if line.strip()]
    return [
        {"name": name, "memory_bytes": int(total) * 2**20, "memory_used_bytes": _bytes(used)}
        for index, name, total, used in rows
        if visible is None or index in visible.split(",")
    ]


def _bytes(mebibytes: str) -> int | None:
    return int(mebibytes) * 2**20 if mebibytes.isdecimal() else None


class Presence(threading.Thread):
    """Writes the worker's row every beat; `working_on` shows its run."""

    def __init__(self, database: Database, settings: Settings) -> None:
        super().__init__(name="presence", daemon=True)
        self._database, self._settings = database, settings
        self._host = socket.gethostname()
        # The start time tells apart two workers that get the same process id, as in two containers.
        self.worker_name = f"{self._host}:{os.getpid()}:{int(time.time())}"
        self._devices, self._asked_at = devices(), time.monotonic()
        self._stopping = threading.Event()
        self.working_on: int | None = None

    @property
    def gpus(self) -> int:
        """How many GPUs the worker has."""
        return len(self._devices)

    def run(self) -> None:
        """Beat until stopped; a database that is away is tried again at the next beat."""
        while True:
            try:
                self.beat()
            except SQLAlchemyError as error:
                _log.warning("the database does not answer, this worker's beat is lost: %s", error)
            if self._stopping.wait(self._settings.heartbeat_seconds):
                return

    def beat(self) -> None:
        """Write the row once, with what the GPUs hold."""
        if self._devices and time.monotonic() - self._asked_at > SECONDS_BETWEEN_DEVICES:
            # A card that does not answer now is still there.
            self._devices, self._asked_at = devices() or self._devices, time.monotonic()
        with self._database.writing() as session:
            repository.say_alive(session, self.worker_name, self._host, self._devices, self.working_on)

    def stop(self) -> None:
        """End the thread and take the row away."""
        self._stopping.set()
        if self.is_alive():
            self.join(timeout=10)
        try:
            with self._database.writing() as session:
                repository.remove(session, self.worker_name)
        except SQLAlchemyError as error:
            _log.warning("the database does not answer, this worker's row stays until it is swept: %s", error)
