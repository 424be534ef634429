"""Checkpoints' files on their way into an archive and out of it."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from backend.errors import Unavailable
from backend.keeping.rows import Row
from backend.settings import Settings

NAMED = re.compile(r"^(?:checkpoint|weights)-([0-9]{1,10})\.(?:pt|safetensors)$")
MARGIN = 64 * 2**20
"""Bytes that stay free when an archive has been unpacked."""


def names_of(row: Row) -> list[str]:
    """Return the names of a checkpoint's files within its run's folder.

    The last that is kept for another reason too has its weights beside it.
    """
    name = PurePosixPath(row["file"]).name
    beside = f"weights-{int(row['iteration']):08d}.pt"
    return [name] if row["kept_as"] == ["last"] or "last" not in row["kept_as"] else [name, beside]


@contextmanager
def workplace(settings: Settings) -> Iterator[Path]:
    """Yield an empty folder on the disk of the home folder; it is gone afterwards, with what is left in it."""
    try:
        (settings.home / "runs").mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=settings.home, prefix="keeping-"))
    except OSError as error:
        raise Unavailable(
            f"the home folder {settings.home} cannot be written: {error.strerror}; set EIGENSCOPE_HOME to another"
        ) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def hold(file: Path, place: Path) -> bool:
    """Keep a file from being removed by giving it a second name; False where it is gone already.

    A checkpoint is never changed once it has its name, so a link holds what a copy would.
    """
    try:
        os.link(file, place)
    except FileNotFoundError:
        return False
    except OSError:
        try:
            shutil.copyfile(file, place)
        except FileNotFoundError:
            return False
    return True


def demand_room(settings: Settings, needed: int) -> None:
    """Raise unless the home folder's disk takes so many bytes more."""
    free = shutil.disk_usage(settings.home).free
    if free < needed + MARGIN:
        raise Unavailable(
            f"no room in {settings.home}: {needed:,} bytes are needed and {free:,} are free; free some disk"
        )
