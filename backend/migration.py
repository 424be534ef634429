"""Brings a database to the newest migration, and refuses to work on any other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from backend.database import Database
from backend.errors import Conflict, Unavailable
from backend.models import Base

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def newest() -> str:
    """Return the newest migration's revision."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    head = ScriptDirectory.from_config(config).get_current_head()
    if head is None:
        raise Conflict(f"no migration lies in {MIGRATIONS}; the installation is incomplete, install it again")
    return head


def known() -> frozenset[str]:
    """Return the revisions of every migration that this program has."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return frozenset(script.revision for script in ScriptDirectory.from_config(config).walk_revisions())


def current(database: Database) -> str | None:
    """Return the revision the database stands at; None when it is empty."""
    try:
        with database.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except OperationalError as error:
        raise Unavailable(f"the database {_shown(database)} does not answer: {_reason(error)}") from None


def upgrade(database: Database) -> None:
    """Bring the database to the newest migration, whole or not at all; one from a newer Eigenscope is refused."""
    before = current(database)
    if before == newest():
        return
    try:
        with _without_foreign_keys(database) as connection, connection.begin():
            command.upgrade(_config(connection), "head")
            _demand_sound(connection)
    except CommandError:
        raise Conflict(_foreign(database, before)) from None


@contextmanager
def _without_foreign_keys(database: Database) -> Iterator[Connection]:
    """Yield a connection on which SQLite lets a table be replaced by its copy.

    With foreign keys on, dropping the old `runs` would delete what they have measured: it cascades. They can be
    turned off only outside a transaction. The write lock is taken at once, so that of two processes that migrate
    the later one finds it done.
    """
    with database.engine.connect().execution_options(immediate=True) as connection:
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101 - a connection just opened has one
        if connection.dialect.name != "sqlite":
            yield connection
            return
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            yield connection
        finally:
            driver.execute("PRAGMA foreign_keys=ON")


def _demand_sound(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if dangling is not None:
        raise Conflict(
            f"the migration was taken back: a row of {dangling[0]} names a row of {dangling[2]} that is gone; "
            "restore a backup or remove that row"
        )


def demand_newest(database: Database) -> None:
    """Raise unless the database stands at the newest migration."""
    found, wanted = current(database), newest()
    if found == wanted:
        return
    if found is None:
        raise Conflict(f"the database {_shown(database)} is empty; run `eigenscope migrate` first")
    if found in known():
        raise Conflict(
            f"the database {_shown(database)} is at migration {found}, this Eigenscope needs {wanted}; "
            "run `eigenscope migrate`"
        )
    raise Conflict(_foreign(database, found))


def differences(database: Database) -> list[object]:
    """Return what the migrated database lacks of the tables, or has beyond them."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def _foreign(database: Database, revision: str | None) -> str:
    return (
        f"the database {_shown(database)} was made by a newer Eigenscope (migration {revision}, this one knows "
        f"{newest()}); upgrade the program"
    )


def _shown(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=True)


def _reason(error: OperationalError) -> str:
    return str(error.orig).strip().splitlines()[0]
