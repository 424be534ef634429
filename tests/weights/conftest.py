"""A home with a database, and what starts networks from weights in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from backend import migration
from backend.database import Database
from backend.models import Dataset
from backend.settings import Settings
from tests.weights.taker import Taker


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "data").mkdir()
    return Settings(home=tmp_path / "home", data_root=tmp_path / "data", database_url="", _env_file=None)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    opened = Database(settings.database)
    migration.upgrade(opened)
    with opened.writing() as session:
        for number in (1, 2):
            session.add(_dataset(number))
    yield opened
    opened.dispose()


def _dataset(number: int) -> Dataset:
    empty: dict[str, Any] = {"train": "", "val": "", "images": "", "categories": [], "counts": {}}
    return Dataset(id=number, name=f"d{number}", kind="coco", has_masks=False, **empty)


@pytest.fixture
def take(settings: Settings, database: Database) -> Taker:
    return Taker(settings, database)
