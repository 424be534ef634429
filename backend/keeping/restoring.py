"""Takes a backup back into an empty instance, or in place of what is there: all of it, or nothing changes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.exc import IntegrityError

from backend.database import Database
from backend.errors import Conflict, InvalidInput
from backend.keeping import files, tables
from backend.keeping.backups import NUMBERED
from backend.keeping.manifest import FILE_NAME
from backend.keeping.reading import Archive, open_archive
from backend.keeping.rows import Row
from backend.keeping.tables import CHECKPOINTS, DATASETS, KEPT, RUNS
from backend.models import Worker
from backend.models.base import now
from backend.models.worker import SILENT_AFTER_BEATS
from backend.settings import Settings

PATHS = ("train", "val", "images", "val_images")
Moves = list[tuple[Path, Path]]


@dataclass(frozen=True)
class Restored:
    """What came back, and from where."""

    host: str
    made_at: str
    rows: dict[str, int]
    files: int


def restore(database: Database, settings: Settings, path: Path, *, replace: bool = False) -> Restored:
    """Check a backup whole, then take it back; with `replace`, what is there goes.

    Raises `InvalidInput` for what is no sound backup, `Conflict` for an instance that holds something or works.
    """
    with open_archive(path) as archive:
        if archive.manifest.kind != "backup":
            raise InvalidInput(f"{path} holds runs and no instance; `eigenscope import` takes them in")
        _demand_place(database, settings, replace)
        archive.check()
        _check_rows(archive)
        files.demand_room(settings, sum(one.bytes for one in archive.manifest.members.values()))
        with files.workplace(settings) as folder:
            _unpack(archive, folder)
            try:
                return _store(database, settings, archive, folder, replace)
            except IntegrityError as error:
                reason = str(error.orig).strip().splitlines()[0][:200]
                raise InvalidInput(f"{path}: its rows contradict each other ({reason})") from None


def _demand_place(database: Database, settings: Settings, replace: bool) -> None:
    """Refuse an instance that is at work, and one that holds something unless that may go."""
    silent = timedelta(seconds=SILENT_AFTER_BEATS * settings.heartbeat_seconds)
    with database.reading() as session:
        working = session.scalar(
            select(func.count()).select_from(Worker).where(Worker.seen_at > now() - silent)
        )
        runs, datasets = (
            session.scalar(select(func.count()).select_from(table)) for table in (RUNS, DATASETS)
        )
    if working:
        raise Conflict(f"{working} worker(s) of this instance live; stop them and the server, then restore")
    folders = sum(1 for _ in _folders(settings))
    if (runs or datasets or folders) and not replace:
        raise Conflict(
            f"this instance holds {runs} run(s), {datasets} dataset(s) and {folders} folder(s) of files; name an "
            "empty EIGENSCOPE_HOME and EIGENSCOPE_DATABASE_URL, or say --replace to let all of that go"
        )


def _folders(settings: Settings) -> Iterator[Path]:
    for root in (settings.home / "runs", settings.generated):
        if root.is_dir():
            yield from root.iterdir()


def _check_rows(archive: Archive) -> None:
    """Read every row once, so that the first that is wrong is named before anything is written."""
    known = {tables.member_of(table, kind) for table in KEPT for kind in ("jsonl", "bin")}
    for name in archive.names("tables/"):
        if name not in known:
            raise InvalidInput(f"{archive.path}: this program keeps no {name}")
    for table in KEPT:
        for row in tables.read(archive, table):
            if table is CHECKPOINTS:
                _demand_own_folder(row)


def _demand_own_folder(row: Row) -> None:
    folder, _, name = row["file"].rpartition("/")
    if folder != f"runs/{row['run_id']}" or not re.fullmatch(FILE_NAME, f"files/{row['run_id']}/{name}"):
        raise InvalidInput(
            f"checkpoints, run {row['run_id']}: its file '{row['file'][:100]}' is not in its run's folder"
        )


def _unpack(archive: Archive, folder: Path) -> None:
    for kind, place in (("files/", "runs"), ("generated/", "datasets")):
        for name in archive.names(kind):
            target = folder / place / name.removeprefix(kind)
            target.parent.mkdir(parents=True, exist_ok=True)
            archive.copy(name, target)


def _store(database: Database, settings: Settings, archive: Archive, folder: Path, replace: bool) -> Restored:
    change = partial(_at_home, archive.manifest.source.home, str(settings.home))
    with _moves() as moves, database.writing() as session:
        connection = session.connection()
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        if replace:
            for table in (*reversed(KEPT), Worker.__table__):
                connection.execute(delete(table))
        counts = {}
        for table in KEPT:
            rows = tables.read(archive, table)
            counts[table.name] = tables.store(
                connection, table, map(change, rows) if table is DATASETS else rows
            )
        for table in NUMBERED:
            _count_from(connection, table, archive.manifest.highest.get(table.name, 0))
        _exchange_files(settings, folder, moves)
    manifest = archive.manifest
    count = len(archive.names("files/")) + len(archive.names("generated/"))
    return Restored(manifest.source.host, manifest.made_at.isoformat(), counts, count)


def _at_home(before: str, after: str, row: Row) -> Row:
    """Let a dataset that was made in the instance's home folder name its files in this one."""
    changed = {
        column: after + row[column].removeprefix(before)
        for column in PATHS
        if before and row.get(column) and row[column].startswith(before + "/")
    }
    return row | changed


def _count_from(connection: Connection, table: Any, highest: int) -> None:
    """Let the next row's id be one that was never given, neither here nor there."""
    highest = max(highest, connection.scalar(select(func.max(table.c.id))) or 0)
    if not highest:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        query = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :highest)")
    else:
        query = text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :highest)")
    connection.execute(query, {"name": table.name, "highest": highest})


@contextmanager
def _moves() -> Iterator[Moves]:
    """Yield a list of moves done, which are undone, last first, if the block fails."""
    moves: Moves = []
    try:
        yield moves
    except BaseException:
        for before, after in reversed(moves):
            after.replace(before)
        raise


def _exchange_files(settings: Settings, folder: Path, moves: Moves) -> None:
    """Take away what lay there, and put the backup's files in its place; the workplace goes with what was taken."""
    aside = folder / "before"
    for one in list(_folders(settings)):
        _move(one, aside / one.parent.name / one.name, moves)
    for place, root in (("runs", settings.home / "runs"), ("datasets", settings.generated)):
        for one in (folder / place).iterdir() if (folder / place).is_dir() else ():
            _move(one, root / one.name, moves)


def _move(before: Path, after: Path, moves: Moves) -> None:
    after.parent.mkdir(parents=True, exist_ok=True)
    os.rename(before, after)
    moves.append((before, after))
