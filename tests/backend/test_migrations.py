"""Migrations build every database, alike on both engines, and foreign ones are refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from backend import migration
from backend.database import Database
from backend.errors import Conflict, Unavailable

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
    with pytest.raises(Conflict, match="migration 9999, which this Eigenscope does not know"):
        act(database)
    assert migration.current(database) == "9999"


def test_an_unreachable_database_is_one_sentence_without_the_password() -> None:
    away = Database("postgresql://someone:secret@127.0.0.1:1/none")
    with pytest.raises(Unavailable, match="does not answer") as caught:
        migration.current(away)
    assert "secret" not in str(caught.value)
    away.dispose()
