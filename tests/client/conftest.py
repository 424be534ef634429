"""A running server that asks for a token, with runs in its database, and a client of it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from backend.database import Database
from backend.settings import Settings
from eigenscope import Client

TOKEN = "s3cret-token"


def _seed_runs() -> Callable[..., dict[str, int]]:
    # With importmode=importlib a neighbour cannot be imported by name.
    file = Path(__file__).parents[1] / "frontend" / "seed.py"
    spec = importlib.util.spec_from_file_location("eigenscope_seed_of_clients", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Any = module.seed_runs
    return found


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dict[str, int]]:
    """Return the settings of a server with runs, and their ids by role."""
    settings = Settings(home=tmp_path_factory.mktemp("client-site"), token=TOKEN, _env_file=None)
    database = Database(settings.database)
    roles = _seed_runs()(database, snapshots=(0, 10, 600, 1200))
    database.dispose()
    return settings, roles


@pytest.fixture
def database(site: tuple[Settings, dict[str, int]]) -> Iterator[Database]:
    """Yield the server's database, read past the server."""
    opened = Database(site[0].database)
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def roles(site: tuple[Settings, dict[str, int]]) -> dict[str, int]:
    return site[1]


@pytest.fixture(scope="session")
def server(
    site: tuple[Settings, dict[str, int]], serving: Callable[[Settings], AbstractContextManager[str]]
) -> Iterator[str]:
    """Yield the address of the running server."""
    with serving(site[0]) as address:
        yield address


@pytest.fixture(scope="session")
def token() -> str:
    return TOKEN


@pytest.fixture(scope="session")
def client(server: str, token: str) -> Iterator[Client]:
    """Yield a client that is signed in."""
    with Client(server, token) as opened:
        yield opened
