"""Writes a whole instance, while it is at work, to one archive: the database, checkpoints, datasets made here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select, text

from backend.database import Database
from backend.keeping import files, tables
from backend.keeping.exporting import Written, add_files, described, held
from backend.keeping.manifest import GENERATED_NAME
from backend.keeping.tables import DATASETS, KEPT, RUNS
from backend.keeping.writing import ArchiveWriter
from backend.models import WidthPlan
from backend.models.base import now
from backend.settings import Settings

NUMBERED: tuple[Any, ...] = (DATASETS, RUNS, WidthPlan.__table__)
"""Tables whose ids are never given twice."""


def back_up(
    database: Database, settings: Settings, to: Path, program: str, *, replace: bool = False
) -> Written:
    """Write a backup to the file `to`, or to a file with the time in its name in the folder `to`."""
    path = to / f"eigenscope-{now():%Y%m%d-%H%M%S}.zip" if to.is_dir() else to
    with (
        ArchiveWriter(path, replace) as archive,
        files.workplace(settings) as folder,
        held(database, settings, folder, None, "all") as view,
    ):
        for table in KEPT:
            tables.write(archive, view.connection, table)
        add_files(archive, view)
        left_out = [*view.missing, *_add_generated(archive, view.connection, settings)]
        runs = view.connection.scalar(select(func.count()).select_from(RUNS)) or 0
        highest = {table.name: _highest(view.connection, table) for table in NUMBERED}
        size = archive.finish(
            described(database, "backup", program, archive, str(settings.home), highest=highest)
        )
    return Written(path, size, runs, len(view.places), left_out)


def _highest(connection: Connection, table: Any) -> int:
    """Return the highest id that a table ever gave, also to a row that is gone."""
    if connection.dialect.name == "sqlite":
        query = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        return int(connection.scalar(query, {"name": table.name}) or 0)
    sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": table.name})
    last, called = connection.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()  # noqa: S608 - the database's own name
    return int(last) if called else 0


def _add_generated(archive: ArchiveWriter, connection: Connection, settings: Settings) -> Iterator[str]:
    """Write the files of datasets that were generated or converted here; yield those whose names are not ours."""
    folders = {Path(train).parent for train in connection.scalars(select(DATASETS.c.train))}
    for folder in sorted(one for one in folders if one.parent == settings.generated):
        for file in sorted(one for one in folder.rglob("*") if one.is_file() and not one.is_symlink()):
            name = f"generated/{file.relative_to(settings.generated).as_posix()}"
            if re.fullmatch(GENERATED_NAME, name):
                archive.add_file(name, file)
            else:
                yield f"the dataset in {folder.name}: {file.name}"
