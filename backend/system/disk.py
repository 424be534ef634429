"""What takes the disk of the home folder, by what it is kept for."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.settings import Settings

Use = Literal["database", "checkpoints", "datasets", "other"]
KEPT_SECONDS = 60
"""Walking the home folder costs a stat for each file, and the page asks every few seconds."""
CHECKPOINT_FILES = (".pt", ".safetensors")


@dataclass(frozen=True)
class DiskUse:
    """Bytes by use; `outside` is what else of that disk cannot be had.

    The folder of the operator's own data is not looked into.
    """

    uses: dict[Use, int]
    outside: int
    free: int
    total: int


def disk_use(session: Session, settings: Settings) -> DiskUse:
    """Return what takes the disk, at most a minute old; a database server keeps its files elsewhere."""
    uses: dict[Use, int] = dict(_walked(settings.home, settings.data, int(time.time() // KEPT_SECONDS)))
    disk = shutil.disk_usage(settings.home)
    if session.get_bind().dialect.name == "postgresql":
        uses["database"] = int(session.scalar(text("SELECT pg_database_size(current_database())")) or 0)
        own = sum(uses.values()) - uses["database"]
    else:
        own = sum(uses.values())
    return DiskUse(uses, max(0, disk.total - disk.free - own), disk.free, disk.total)


@lru_cache(maxsize=4)
def _walked(home: Path, without: Path, _minute: int) -> tuple[tuple[Use, int], ...]:
    found: dict[Use, int] = {"database": 0, "checkpoints": 0, "datasets": 0, "other": 0}
    for folder, folders, files in os.walk(home):
        here = Path(folder)
        folders[:] = [name for name in folders if here / name != without]
        for name in files:
            file = here / name
            try:
                # Of a sparse or growing file, what it takes; a file may go while one looks.
                found[_use(file.relative_to(home))] += file.lstat().st_blocks * 512
            except FileNotFoundError:
                continue
    return tuple(found.items())


def _use(file: Path) -> Use:
    if file.parts[0] == "runs" and file.suffix in CHECKPOINT_FILES:
        return "checkpoints"
    if file.parts[0] == "datasets":
        return "datasets"
    return "database" if len(file.parts) == 1 and ".db" in file.name else "other"
