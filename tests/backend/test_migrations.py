"""Migrations build every database, alike on both engines, and foreign ones are refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, Table, insert, text
from sqlalchemy.exc import IntegrityError

from backend import migration
from backend.database import Database
from backend.errors import Conflict, Unavailable
from backend.models import Run
from backend.models.base import now

BOTH = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
]


@pytest.fixture(params=BOTH)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Yield a database without tables."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path / 'new.db'}"
        else:
            url = stack.enter_context(request.getfixturevalue("new_postgres")())
        opened = Database(url)
        yield opened
        opened.dispose()


@pytest.fixture
def database(empty: Database) -> Database:
    migration.upgrade(empty)
    return empty


def test_migrations_build_exactly_the_models(database: Database) -> None:
    assert migration.differences(database) == []
    migration.demand_newest(database)


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    migration.upgrade(database)
    assert migration.current(database) == migration.newest()


def test_an_empty_database_is_refused_with_the_mend(empty: Database) -> None:
    with pytest.raises(Conflict, match=r"is empty; run `eigenscope migrate` first"):
        migration.demand_newest(empty)


@pytest.mark.parametrize("act", [migration.demand_newest, migration.upgrade])
def test_a_database_of_a_newer_eigenscope_is_refused_and_left_alone(database: Database, act) -> None:
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Conflict, match=r"made by a newer Eigenscope \(migration 9999"):
        act(database)
    assert migration.current(database) == "9999"


@pytest.fixture
def at_0001(empty: Database) -> Database:
    """Return a database of the first Eigenscope: a dataset, a run with spectra, its child, and a deleted run."""
    config = Config()
    config.set_main_option("script_location", str(migration.MIGRATIONS))
    with empty.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with empty.engine.begin() as connection:
        files = {"train": "t", "val": "v", "images": "i"}
        more = {"categories": [], "has_masks": True, "counts": {}, "created_at": now()}
        add(connection, "datasets", name="cells", kind="coco", **files, **more)
        for name, parent in (("first", None), ("child", 1), ("gone", None)):
            add_run_of_0001(connection, name, parent)
        add(connection, "layers", run_id=1, order=0, name="layer1.0", map="block", stage="layer1", width=2)
        add(connection, "spectra", run_id=1, layer=0, iteration=5, eigenvalues=b"12345678")
        numbers = {"dimensionality": 1, "trace": 2.0, "lambda_1": 1.5, "images": 3, "positions": 2**40}
        add(connection, "spectrum_summaries", run_id=1, layer=0, iteration=5, **numbers)
        add(connection, "metrics", run_id=1, name="loss", iteration=1, value=0.5)
        add(connection, "log_lines", run_id=2, number=1, text="words")
        add(connection, "checkpoints", run_id=1, iteration=100, file="runs/1/c.pt", bytes=9, created_at=now())
        connection.execute(text("DELETE FROM runs WHERE id = 3"))
    return empty


def add(connection: Connection, table: str, **values: object) -> None:
    connection.execute(insert(Table(table, MetaData(), autoload_with=connection)).values(**values))


def add_run_of_0001(connection: Connection, name: str, parent: int | None) -> None:
    state = {"status": "succeeded", "phase": "", "stop_requested": False, "priority": 3, "attempt": 1}
    state |= {"revision": 7, "iteration": 100, "iterations": 100, "ap": 0.5, "macs": 2**40}
    times = {"created_at": now(), "queued_at": now()}
    add(
        connection,
        "runs",
        name=name,
        tags=["a"],
        specification={"init": {}},
        dataset_id=1,
        parent_run_id=parent,
        **state,
        **times,
    )


def rows(database: Database, table: str) -> list[dict[str, object]]:
    with database.engine.connect() as connection:
        found = connection.execute(Table(table, MetaData(), autoload_with=connection).select())
        return [dict(row._mapping) for row in found]


ADDED = {
    "runs": {
        "origin": "launched",
        "mask_ap": None,
        "start": None,
        "notes": "",
        "archived": False,
        "imported": None,
    },
    "datasets": {"val_images": None, "statistics": None},
    "checkpoints": {"kept_as": ["last"]},
}
"""What later migrations add to the rows of the first."""


def test_later_migrations_come_to_a_full_database_and_nothing_is_lost(at_0001: Database) -> None:
    tables = (
        "datasets",
        "runs",
        "layers",
        "spectra",
        "spectrum_summaries",
        "metrics",
        "log_lines",
        "checkpoints",
    )
    before = {table: rows(at_0001, table) for table in tables}
    migration.upgrade(at_0001)
    assert migration.differences(at_0001) == []
    for table in tables:
        assert rows(at_0001, table) == [row | ADDED.get(table, {}) for row in before[table]]
        assert before[table], table


def test_metrics_of_before_are_summarised_by_the_migration(at_0001: Database) -> None:
    with at_0001.engine.begin() as connection:
        add(connection, "metrics", run_id=1, name="loss", iteration=7, value=None)
        add(connection, "metrics", run_id=1, name="loss", iteration=3, value=0.25)
    migration.upgrade(at_0001)
    found = {"run_id": 1, "name": "loss", "last_iteration": 7, "last": None, "lowest": 0.25, "highest": 0.5}
    assert rows(at_0001, "metric_summaries") == [found]


def test_after_the_migration_rows_still_hold_on_to_each_other(at_0001: Database) -> None:
    migration.upgrade(at_0001)
    with at_0001.writing() as session:
        session.add(Run(name="recorded", specification={}, origin="recorded", iterations=0))
        session.flush()
        # The run 3 was deleted before: its number is not given again.
        assert session.scalar(text("SELECT id FROM runs WHERE name = 'recorded'")) == 4
    with pytest.raises(IntegrityError), at_0001.writing() as session:
        session.execute(text("DELETE FROM datasets"))
    with at_0001.writing() as session:
        session.execute(text("DELETE FROM runs WHERE id = 1"))
        assert session.scalar(text("SELECT parent_run_id FROM runs WHERE id = 2")) is None
        for table in ("layers", "spectra", "spectrum_summaries", "metrics"):
            assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0  # noqa: S608 - our own names


ADDED_TABLES = (
    "metric_summaries",
    "predictions",
    "dataset_images",
    "width_plan_runs",
    "width_plans",
    "browser_sessions",
    "tokens",
    "ingest",
    "run_watches",
    "webhook_deliveries",
    "webhook_events",
)


def test_a_migration_on_a_database_with_a_dangling_row_is_taken_back(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'dangling.db'}")
    migration.upgrade(database)
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys=OFF")
        driver.execute("INSERT INTO log_lines VALUES (99, 1, 'words of nobody')")
        driver.execute("UPDATE alembic_version SET version_num = '0001'")
        for table, columns in ADDED.items():
            for column in columns:
                driver.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        for table in ADDED_TABLES:
            driver.execute(f"DROP TABLE {table}")
        driver.execute("PRAGMA foreign_keys=ON")
    with pytest.raises(Conflict, match=r"taken back: a row of log_lines names a row of runs that is gone"):
        migration.upgrade(database)
    assert migration.current(database) == "0001"
    database.dispose()


def test_an_unreachable_database_is_one_sentence_without_the_password() -> None:
    away = Database("postgresql://someone:secret@127.0.0.1:1/none")
    with pytest.raises(Unavailable, match="does not answer") as caught:
        migration.current(away)
    assert "secret" not in str(caught.value)
    away.dispose()
