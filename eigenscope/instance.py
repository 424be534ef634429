"""One Eigenscope on this machine: its settings, database and bell, as commands need them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import ValidationError

from backend import migration
from backend.broker import Broker
from backend.database import Database
from backend.errors import InvalidInput, Unavailable
from backend.settings import SECRET, Settings


@dataclass(frozen=True, slots=True)
class Instance:
    """What commands work on."""

    settings: Settings
    database: Database
    broker: Broker


def read_settings(**overrides: object) -> Settings:
    """Read the settings from the environment; a bad one is named in one sentence."""
    given = {key: value for key, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        setting = "_".join(str(part) for part in first["loc"])
        told = first["msg"].removeprefix("Value error, ")
        shown = "" if setting in SECRET else f"; it is '{first['input']}'"
        raise InvalidInput(f"EIGENSCOPE_{setting.upper()}: {told}{shown}") from None


def prepare_home(settings: Settings) -> None:
    """Create the home folder, or say why it cannot be."""
    try:
        folders = [settings.home, settings.home / "runs", settings.generated]
        if settings.data_root is None:
            folders.append(settings.data)
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"the home folder {settings.home} cannot be made: {error.strerror}; set EIGENSCOPE_HOME to another"
        ) from None


def is_begun(settings: Settings) -> bool:
    """Return whether there can be a database with something in it; looking makes none."""
    return bool(settings.database_url) or settings.home.is_dir()


@contextmanager
def open_instance(settings: Settings, *, migrate: bool) -> Iterator[Instance]:
    """Open the database and broker; bring the database up to date first, or demand that it is."""
    prepare_home(settings)
    database = Database(settings.database)
    broker = Broker(settings)
    try:
        if migrate:
            migration.upgrade(database)
        else:
            migration.demand_newest(database)
        yield Instance(settings, database, broker)
    finally:
        broker.close()
        database.dispose()
