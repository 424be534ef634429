"""Which machine measured, and with what."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import torch

PACKAGES = ("torch", "numpy", "delve")
CPU_MODEL = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Machine:
    """The hardware; `cores` are those that this process may use, `gpu` is empty where there is none."""

    cpu: str
    cores: int
    memory_gib: int
    gpu: str

    def __str__(self) -> str:
        cores = "1 core" if self.cores == 1 else f"{self.cores} cores"
        return f"{self.cpu}, {cores}, {self.memory_gib} GiB, {self.gpu or 'no GPU'}"

    @property
    def slug(self) -> str:
        """The machine's name in the name of a file."""
        words = f"{self.cpu} {self.cores} cores {self.gpu}"
        return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def this_machine() -> Machine:
    """Return what this process runs on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(memory / 2**30),
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else "",
    )


def software() -> str:
    """Return the versions and settings that a duration depends on."""
    versions = [f"{name} {_version(name)}" for name in PACKAGES]
    waiting = os.environ.get("OMP_WAIT_POLICY", "default")
    threads = f"{torch.get_num_threads()} threads (OMP_WAIT_POLICY {waiting})"
    return ", ".join([f"Python {platform.python_version()}", *versions, threads])


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _cpu() -> str:
    file = Path("/proc/cpuinfo")
    found = CPU_MODEL.search(file.read_text()) if file.exists() else None
    return found[1] if found else platform.processor() or platform.machine()
