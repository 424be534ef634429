"""A migrated database on SQLite and on PostgreSQL, and an application over each."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

from backend import migration
from backend.app import create_app
from backend.database import Database
from backend.models import Base, Dataset
from backend.runs.specification import RunSpecification
from backend.settings import Settings

BOTH = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
]


@pytest.fixture(scope="session")
def migrated_postgres(new_postgres: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """Yield one migrated PostgreSQL database: making one for each test would take most of the tests' time."""
    with new_postgres() as url:
        opened = Database(url)
        migration.upgrade(opened)
        opened.dispose()
        yield url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated SQLite file, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "eigenscope.db"
    opened = Database(f"sqlite:///{file}")
    migration.upgrade(opened)
    opened.dispose()
    return file


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        copy = tmp_path / "eigenscope.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), copy)
        return f"sqlite:///{copy}"
    url: str = request.getfixturevalue("migrated_postgres")
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    opened = Database(url)
    with opened.writing() as session:
        session.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    opened.dispose()
    return url


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(home=tmp_path / "home", database_url=database_url, _env_file=None)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    opened = Database(settings.database)
    yield opened
    opened.dispose()


@pytest.fixture
def dataset_id(database: Database) -> int:
    with database.writing() as session:
        dataset = Dataset(
            name="cells",
            kind="coco",
            train="/nowhere/train.json",
            val="/nowhere/val.json",
            images="/nowhere",
            categories=[{"id": 1, "name": "cell"}],
            has_masks=True,
            counts={"train": {"images": 9, "annotations": 20}, "val": {"images": 3, "annotations": 5}},
        )
        session.add(dataset)
        session.flush()
        return dataset.id


@pytest.fixture
def specification(dataset_id: int) -> RunSpecification:
    return RunSpecification.model_validate(
        {"dataset_id": dataset_id, "model": {"backbone": "resnet18"}, "training": {"iterations": 100}}
    )


@pytest.fixture
def app(settings: Settings, database: Database) -> FastAPI:
    return create_app(settings)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://127.0.0.1:8000") as opened:
        yield opened
