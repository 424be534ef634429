"""Takes the runs of an archive into this instance under new ids: all of them, or nothing is left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.exc import IntegrityError

from backend.database import Database
from backend.datasets.service import missing_paths
from backend.errors import Conflict, InvalidInput
from backend.keeping import files, inventory, tables
from backend.keeping.inventory import Inventory
from backend.keeping.reading import Archive, open_archive
from backend.keeping.rows import Row
from backend.keeping.tables import CHECKPOINTS, DATASETS, OF_A_RUN, RUNS
from backend.models.base import now
from backend.settings import Settings

UNDER_WAY = ("queued", "running")
SAME = ("kind", "categories", "counts", "has_masks")
"""Two datasets of one name that agree in these are the same dataset."""


@dataclass(frozen=True)
class ImportedRun:
    """One run that was taken in."""

    id: int
    name: str
    was: int
    """Its id in the instance that it is from."""
    dataset: str | None


@dataclass(frozen=True)
class Imported:
    """What was taken in; `missing` are datasets whose files are not here."""

    host: str
    runs: list[ImportedRun]
    missing: list[str]


def import_runs(database: Database, settings: Settings, path: Path) -> Imported:
    """Check an archive whole, then take it in. Raises `InvalidInput`, or `Conflict` for one of a newer program."""
    with open_archive(path) as archive:
        if archive.manifest.kind != "runs":
            raise InvalidInput(
                f"{path} is the backup of a whole instance; `eigenscope restore` takes it back"
            )
        archive.check()
        found = inventory.take_inventory(archive)
        files.demand_room(settings, found.file_bytes)
        with files.workplace(settings) as folder:
            _unpack(archive, folder)
            try:
                return _store(database, settings, archive, found, folder)
            except IntegrityError as error:
                reason = str(error.orig).strip().splitlines()[0][:200]
                raise InvalidInput(f"{path}: its rows contradict each other ({reason})") from None


def _unpack(archive: Archive, folder: Path) -> None:
    for name in archive.names("files/"):
        _, run, file = name.split("/")
        (folder / run).mkdir(exist_ok=True)
        archive.copy(name, folder / run / file)


def _store(
    database: Database, settings: Settings, archive: Archive, found: Inventory, folder: Path
) -> Imported:
    placed: list[tuple[Path, Path]] = []
    try:
        with database.writing() as session:
            connection = session.connection()
            datasets, missing = _datasets(connection, settings, found)
            ids = _runs(connection, archive, found, datasets)
            for table in OF_A_RUN:
                rows = inventory.rows_of(archive, table, ids)
                if table is CHECKPOINTS:
                    rows = (_filed(row) for row in rows)
                tables.store(connection, table, rows)
            for old, new in ids.items():
                _place(folder / str(old), settings.run_folder(new), placed)
            names = dict(connection.execute(select(DATASETS.c.id, DATASETS.c.name)).all())
    except BaseException:
        for before, after in placed:
            after.replace(before)
        raise
    runs = [
        ImportedRun(ids[old], row["name"], old, names.get(datasets.get(row["dataset_id"], 0)))
        for old, row in found.runs.items()
    ]
    return Imported(archive.manifest.source.host, runs, missing)


def _datasets(
    connection: Connection, settings: Settings, found: Inventory
) -> tuple[dict[int, int], list[str]]:
    """Return the dataset of this instance for each of the archive's, and the names of those registered as missing."""
    here = {row["name"]: dict(row) for row in connection.execute(select(DATASETS)).mappings()}
    ids, missing = {}, []
    for old, row in found.datasets.items():
        name = row["name"]
        like = _first_alike(here, row)
        if like is None:
            name = _free_name(name, here)
            values = row | {"name": name, "val_images": None} | missing_paths(settings)
            del values["id"]
            like = tables.store_one(connection, DATASETS, values)
            here[name] = values | {"id": like}
            missing.append(name)
        ids[old] = like
    return ids, missing


def _first_alike(here: Mapping[str, Row], row: Row) -> int | None:
    """Return the dataset of that name, or of a name that an import before gave it, with the same content."""
    for name in _names(row["name"]):
        one = here.get(name)
        if one is None:
            return None
        if all(one[column] == row[column] for column in SAME):
            return int(one["id"])
    return None


def _free_name(name: str, here: Mapping[str, Row]) -> str:
    return next(candidate for candidate in _names(name) if candidate not in here)


def _names(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name[:180]} (imported{f' {k}' if k > 1 else ''})" for k in range(1, 100_000))


def _runs(
    connection: Connection, archive: Archive, found: Inventory, datasets: Mapping[int, int]
) -> dict[int, int]:
    """Insert the runs, parents first; return the new id of each."""
    ids: dict[int, int] = {}
    for old, row in sorted(found.runs.items()):
        values = row | {
            "dataset_id": datasets.get(row["dataset_id"]),
            "parent_run_id": ids.get(row["parent_run_id"]),
            "lease_owner": None,
            "lease_expires_at": None,
            "stop_requested": False,
            "phase": "",
            "specification": _mapped(connection, row, ids, datasets),
            "imported": {
                "host": archive.manifest.source.host,
                "run_id": old,
                "parent_run_id": row["parent_run_id"],
                "exported_at": archive.manifest.made_at.isoformat(),
            },
        }
        if row["status"] in UNDER_WAY:
            values |= {
                "status": "cancelled",
                "finished_at": now(),
                "error": f"it was {row['status']} at iteration {row['iteration']} when it was exported; "
                "resume it from its last checkpoint, or retry it",
            }
        del values["id"]
        ids[old] = tables.store_one(connection, RUNS, values)
    return ids


def _mapped(
    connection: Connection, row: Row, ids: Mapping[int, int], datasets: Mapping[int, int]
) -> dict[str, Any]:
    """Return a specification that names dataset and first weights by their ids here.

    Where the run that it starts from was not exported, it names an id that no run here has or will have: another
    run's weights would be the wrong ones.
    """
    specification: dict[str, Any] = row["specification"]
    if row["origin"] != "launched":
        return specification
    changed: dict[str, Any] = {"dataset_id": datasets[row["dataset_id"]]}
    init = specification.get("init", {})
    if init.get("kind") == "run":
        changed["init"] = init | {"run_id": ids.get(init["run_id"]) or _spent_id(connection)}
    return specification | changed


def _spent_id(connection: Connection) -> int:
    """Return an id that no run has and none will get: ids are never given twice."""
    spent = tables.store_one(
        connection,
        RUNS,
        {
            "name": "",
            "tags": [],
            "specification": {},
            "status": "cancelled",
            "phase": "",
            "stop_requested": False,
            "priority": 0,
            "attempt": 0,
            "revision": 0,
            "iteration": 0,
            "iterations": 0,
            "created_at": now(),
            "queued_at": now(),
        },
    )
    connection.execute(delete(RUNS).where(RUNS.c.id == spent))
    return spent


def _filed(row: Row) -> Row:
    return row | {"file": f"runs/{row['run_id']}/{files.names_of(row)[0]}"}


def _place(before: Path, after: Path, placed: list[tuple[Path, Path]]) -> None:
    """Give a run's files their place before the database tells of them; `placed` is what to take back."""
    if not before.exists():
        return
    try:
        os.rename(before, after)
    except OSError:
        raise Conflict(
            f"{after} is in the way and belongs to no run; look into it and remove it, then import again"
        ) from None
    placed.append((before, after))
