"""Writes runs, with all that they measured, to one archive that any instance can import."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, select

from backend import migration
from backend.database import Database
from backend.errors import NotFound
from backend.keeping import files, tables
from backend.keeping.manifest import VERSION, Manifest, Source
from backend.keeping.rows import Row
from backend.keeping.tables import CHECKPOINTS, DATASETS, OF_A_RUN, RUNS
from backend.keeping.writing import ArchiveWriter
from backend.models.base import now
from backend.settings import Settings

Checkpoints = Literal["last", "all", "none"]
ATTEMPTS, PAUSE_SECONDS = 5, 0.5
"""A trainer that saves removes an older file at any moment: then the database already names the newer one."""


@dataclass(frozen=True)
class Held:
    """A consistent view, and the checkpoints it names: `place` by (run, iteration) and name; `missing` are gone."""

    connection: Connection
    places: dict[tuple[int, int], dict[str, Path]]
    missing: list[str]


@dataclass(frozen=True)
class Written:
    """What an archive holds; `missing` are files of checkpoints that are gone from the disk."""

    path: Path
    bytes: int
    runs: int
    checkpoints: int
    missing: list[str]


def export(
    database: Database,
    settings: Settings,
    run_ids: Sequence[int],
    path: Path,
    checkpoints: Checkpoints,
    program: str,
    *,
    replace: bool = False,
) -> Written:
    """Write these runs to `path`. Raises `NotFound` for a run that is not there, `Conflict` for a file that is."""
    with (
        ArchiveWriter(path, replace) as archive,
        files.workplace(settings) as folder,
        held(database, settings, folder, run_ids, checkpoints) as view,
    ):
        _demand_runs(view.connection, run_ids)
        used = select(RUNS.c.dataset_id).where(RUNS.c.id.in_(run_ids))
        tables.write(archive, view.connection, DATASETS, DATASETS.c.id.in_(used), change=_without_paths)
        tables.write(archive, view.connection, RUNS, tables.for_runs(RUNS, run_ids))
        for table in OF_A_RUN:
            change = partial(_if_held, view.places) if table is CHECKPOINTS else None
            tables.write(archive, view.connection, table, tables.for_runs(table, run_ids), change=change)
        add_files(archive, view)
        size = archive.finish(described(database, "runs", program, archive))
    return Written(path, size, len(run_ids), len(view.places), view.missing)


def described(
    database: Database,
    kind: Literal["runs", "backup"],
    program: str,
    archive: ArchiveWriter,
    home: str = "",
    highest: dict[str, int] | None = None,
) -> Manifest:
    """Return the manifest of what was written so far; `program` is its version."""
    postgresql = database.engine.dialect.name == "postgresql"
    return Manifest(
        version=VERSION,
        kind=kind,
        migration=migration.newest(),
        made_at=now(),
        source=Source(
            host=re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:200],
            database="postgresql" if postgresql else "sqlite",
            eigenscope=program,
            home=home,
        ),
        highest=highest or {},
        members=archive.members,
    )


@contextmanager
def held(
    database: Database,
    settings: Settings,
    folder: Path,
    run_ids: Collection[int] | None,
    checkpoints: Checkpoints,
) -> Iterator[Held]:
    """Yield a consistent view of database and files; None stands for all runs."""
    for attempt in range(1, ATTEMPTS + 1):
        with tables.snapshot(database) as connection:
            place = folder / str(attempt)
            place.mkdir()
            places, missing = _hold(connection, settings, place, run_ids, checkpoints)
            if not missing or attempt == ATTEMPTS:
                yield Held(connection, places, missing)
                return
        time.sleep(PAUSE_SECONDS)


def _hold(
    connection: Connection,
    settings: Settings,
    folder: Path,
    run_ids: Collection[int] | None,
    checkpoints: Checkpoints,
) -> tuple[dict[tuple[int, int], dict[str, Path]], list[str]]:
    places: dict[tuple[int, int], dict[str, Path]] = {}
    missing = []
    query = select(CHECKPOINTS).order_by(CHECKPOINTS.c.run_id, CHECKPOINTS.c.iteration)
    if run_ids is not None:
        query = query.where(CHECKPOINTS.c.run_id.in_(run_ids))
    for found in connection.execute(query).mappings():
        row = dict(found)
        if not _wanted(row, checkpoints):
            continue
        key = (row["run_id"], row["iteration"])
        taken = {}
        for name in files.names_of(row):
            place = folder / f"{row['run_id']}-{name}"
            if files.hold(settings.run_folder(row["run_id"]) / name, place):
                taken[name] = place
        if files.names_of(row)[0] in taken:
            places[key] = taken
        else:
            missing.append(f"run {key[0]}, iteration {key[1]}")
    return places, missing


def _wanted(row: Row, checkpoints: Checkpoints) -> bool:
    return checkpoints == "all" or (checkpoints == "last" and "last" in row["kept_as"])


def add_files(archive: ArchiveWriter, view: Held) -> None:
    """Write the files of the checkpoints that are held."""
    for (run_id, _), taken in view.places.items():
        for name, place in taken.items():
            archive.add_file(f"files/{run_id}/{name}", place)


def _if_held(places: dict[tuple[int, int], dict[str, Path]], row: Row) -> Row | None:
    taken = places.get((row["run_id"], row["iteration"]))
    if taken is None:
        return None
    return row | {"bytes": sum(place.stat().st_size for place in taken.values())}


def _without_paths(row: Row) -> Row:
    """Leave out where the files lie: that is this machine's own affair."""
    return row | {"train": "", "val": "", "images": "", "val_images": None}


def _demand_runs(connection: Connection, run_ids: Sequence[int]) -> None:
    there = set(connection.scalars(select(RUNS.c.id).where(RUNS.c.id.in_(run_ids))))
    for run_id in run_ids:
        if run_id not in there:
            raise NotFound(f"there is no run {run_id}; it may have been deleted")
