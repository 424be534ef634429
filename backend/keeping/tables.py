"""Which tables an archive holds, and how rows go between a database and an archive's members."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

from sqlalchemy import JSON, Column, ColumnElement, Connection, MetaData, Table, insert, select

from backend.database import Database
from backend.keeping import rows
from backend.keeping.reading import Archive
from backend.keeping.rows import Row
from backend.keeping.writing import ArchiveWriter
from backend.models import (
    Base,
    Checkpoint,
    Dataset,
    Layer,
    LogLine,
    Metric,
    MetricSummary,
    Prediction,
    Run,
    Spectrum,
    SpectrumSummary,
    Worker,
)

DATASETS: Table = Base.metadata.tables[Dataset.__tablename__]
RUNS: Table = Base.metadata.tables[Run.__tablename__]
CHECKPOINTS: Table = Base.metadata.tables[Checkpoint.__tablename__]
SPECTRA: Table = Base.metadata.tables[Spectrum.__tablename__]
LOG_LINES: Table = Base.metadata.tables[LogLine.__tablename__]
OF_A_RUN: tuple[Table, ...] = tuple(
    Base.metadata.tables[model.__tablename__]
    for model in (Layer, Spectrum, SpectrumSummary, Metric, MetricSummary, LogLine, Checkpoint, Prediction)
)
"""What belongs to one run and goes where it goes. A run's place in plans of widths does not: a backup holds those."""
KEPT: tuple[Table, ...] = tuple(
    table for table in Base.metadata.sorted_tables if table.name != Worker.__tablename__
)
"""What a backup holds: all but which workers live at the moment. Referred to before referring."""
BATCH_ROWS, BATCH_BYTES = 1000, 16 * 2**20

Change = Callable[[Row], Row | None]


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """Yield a connection that sees the database as it is now, whatever others write meanwhile, and holds up nobody.

    That is one transaction: REPEATABLE READ on PostgreSQL, a reader of the write-ahead log on SQLite.
    """
    options: dict[str, Any] = {}
    if database.engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with database.engine.connect().execution_options(**options) as connection, connection.begin():
        # SQLite's view begins with the first that is read.
        connection.execute(select(RUNS.c.id).limit(1)).all()
        yield connection


def write(
    archive: ArchiveWriter,
    connection: Connection,
    table: Table,
    *conditions: ColumnElement[bool],
    change: Change | None = None,
) -> None:
    """Write a table's rows, by their keys, as members; `change` may alter a row or leave it out."""
    columns = list(table.columns)
    query = select(table).where(*conditions).order_by(*table.primary_key.columns)
    with archive.member(member_of(table)) as lines:
        lines.write(rows.line([column.name for column in columns]))
        for row in _stream(connection, query, change):
            lines.write(rows.encode(columns, row))
    # A zip file has one member under way at a time: bytes are read anew for a member of their own.
    for column in rows.blob_columns(table):
        with archive.member(member_of(table, "bin")) as blobs:
            for row in _stream(connection, query, change):
                blobs.write(row[column])


def _stream(connection: Connection, query: Any, change: Change | None) -> Iterator[Row]:
    found = connection.execute(query, execution_options={"yield_per": BATCH_ROWS})
    for row in found.mappings():
        changed = dict(row) if change is None else change(dict(row))
        if changed is not None:
            yield changed


def member_of(table: Table, kind: str = "jsonl") -> str:
    """Return the name of the member that holds a table's rows, or their bytes (`bin`)."""
    return f"tables/{table.name}.{kind}"


def read(archive: Archive, table: Table) -> Iterator[Row]:
    """Yield the rows of a table that an archive holds, checked against its columns; none where it has no such table."""
    if member_of(table) not in archive:
        return
    with ExitStack() as stack:
        lines = stack.enter_context(archive.open(member_of(table)))
        blobs = member_of(table, "bin")
        beside = stack.enter_context(archive.open(blobs)) if blobs in archive else None
        yield from rows.decode(table, lines, beside)


def store(connection: Connection, table: Table, found: Iterator[Row]) -> int:
    """Insert rows, some at a time; return how many there were."""
    count = 0
    for batch in _batches(found):
        connection.execute(insert(_with_plain_nulls(table)), batch)
        count += len(batch)
    return count


def store_one(connection: Connection, table: Table, values: Row) -> int:
    """Insert one row under a new id and return that."""
    plain = _with_plain_nulls(table)
    return int(connection.execute(insert(plain).values(values).returning(plain.c.id)).scalar_one())


@cache
def _with_plain_nulls(table: Table) -> Table:
    """Return the table as it is written to here: a value that is not there is NULL, not the word null in JSON."""
    kinds = {c.name: JSON(none_as_null=True) if isinstance(c.type, JSON) else c.type for c in table.columns}
    return Table(table.name, MetaData(), *(Column(name, kind) for name, kind in kinds.items()))


def _batches(found: Iterator[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in found:
        batch.append(row)
        size += sum(len(value) for value in row.values() if isinstance(value, bytes))
        if len(batch) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def for_runs(table: Table, run_ids: Sequence[int]) -> ColumnElement[bool]:
    """Return the condition under which a row belongs to one of these runs."""
    column = table.c.id if table is RUNS else table.c.run_id
    return column.in_(run_ids)
