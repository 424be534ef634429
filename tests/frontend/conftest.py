"""A seeded server: three finished runs, one running, one failed, one queued, two recorded, one with hostile names."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import plotly.graph_objects as go
import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page
from sqlalchemy.orm import Session

from backend import migration
from backend.database import Database
from backend.measurements import repository as measurements
from backend.measurements.records import LayerRow
from backend.models import Run
from backend.settings import Settings
from eigenscope.server import build_app

Serving = Callable[[Settings], AbstractContextManager[str]]

HOSTILE = "<img src=x onerror=window.hacked=1><b>%{x}</b>"
SNAPSHOTS = (0, 1, 10, 100, 600, 1200)


def _load(name: str) -> ModuleType:
    # With importmode=importlib a neighbour cannot be imported by name.
    spec = importlib.util.spec_from_file_location(
        f"eigenscope_{name}", Path(__file__).with_name(f"{name}.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


seed = _load("seed")
seed_recorded = _load("seed_recorded")
seed_widths = _load("seed_widths")
gallery_seed = _load("gallery")


@pytest.fixture(scope="session")
def seed_runs() -> Callable[..., dict[str, int]]:
    """Return the function that fills a database: `seed_runs(database)` gives run ids by role."""
    return seed.seed_runs


def _add_hostile(database: Database) -> int:
    with database.writing() as session:
        short = {"iterations": 20, "warmup": 5}
        spec = seed.specification(1, init__kind="imagenet", training=short)
        run: Run = seed.add_run(session, spec, HOSTILE, "succeeded", tags=["<i>tag</i>"], error=None)
        layer = LayerRow(0, "<script>window.hacked=1</script>", "block", "<u>stage</u>", 8)
        measurements.write_layers(session, run.id, [layer])
        values = seed.eigenvalues(layer, 0.5, 0.5, False, 1)
        row = seed.SpectrumRow(0, values, 5, float(values.sum()), float(values[0]), 4, 400)
        for iteration in (0, 20):
            measurements.write_spectra(session, run.id, iteration, [row])
        return run.id


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dict[str, int]]:
    """Return settings of a filled database and the ids of its runs by role; tests must not change it."""
    settings = Settings(home=tmp_path_factory.mktemp("seeded"), _env_file=None)
    database = Database(settings.database)
    roles = seed.seed_runs(database, snapshots=SNAPSHOTS)
    with database.writing() as session:
        roles |= seed_recorded.seed_recorded(session)
    roles["hostile"] = _add_hostile(database)
    database.dispose()
    return settings, roles


@pytest.fixture(scope="session")
def roles(seeded: tuple[Settings, dict[str, int]]) -> dict[str, int]:
    return seeded[1]


@pytest.fixture
def passing_run(seeded: tuple[Settings, dict[str, int]]) -> Iterator[Callable[..., int]]:
    """Yield a function that adds a run, or changes the one it added; it is gone after the test."""
    database = Database(seeded[0].database)
    added: list[int] = []

    def change(**columns: Any) -> int:
        with database.writing() as session:
            if not added:
                added.append(
                    seed.add_run(session, seed.specification(1), "a passing run", "running", upto=1).id
                )
            run = session.get_one(Run, added[0])
            for name, value in columns.items():
                setattr(run, name, value)
            run.revision += 1
        return added[0]

    yield change
    with database.writing() as session:
        run = session.get(Run, added[0])
        if run is not None:
            session.delete(run)
    database.dispose()


@pytest.fixture(scope="session")
def client(seeded: tuple[Settings, dict[str, int]]) -> Iterator[TestClient]:
    """Yield a client that asks as a browser does."""
    app = build_app(seeded[0])
    with TestClient(app, base_url="http://127.0.0.1", headers={"Accept": "text/html"}) as opened:
        yield opened


@pytest.fixture(scope="session")
def server(seeded: tuple[Settings, dict[str, int]], serving: Serving) -> Iterator[str]:
    """Yield the address of a running server."""
    with serving(seeded[0]) as address:
        yield address


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory, serving: Serving) -> Iterator[tuple[str, list[Any]]]:
    """Yield the address of a server that shows every page at its fullest, and its pages; tests must not change it."""
    settings = Settings(home=tmp_path_factory.mktemp("gallery"), _env_file=None)
    shots = gallery_seed.seed_gallery(settings)
    with serving(settings) as address:
        yield address, shots


@pytest.fixture(scope="session")
def settle() -> Callable[[Page], None]:
    """Return a function that scrolls through a page until all its charts are drawn."""
    return gallery_seed.settle  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, list[int]]:
    """Return settings of a database, and its runs: a pre-trained one of 600 iterations, three seeds of 1,200."""
    settings = Settings(home=tmp_path_factory.mktemp("seeds"), _env_file=None)
    database = Database(settings.database)
    migration.upgrade(database)
    with database.writing() as session:
        dataset = seed.add_dataset(session).id
        short = {"training__iterations": 600, "training__milestones": [400]}
        spec = seed.specification(dataset, init__kind="imagenet", **short)
        runs = [seed.add_run(session, spec, "short", "succeeded")]
        for number in range(3):
            spec = seed.specification(dataset, training__seed=number)
            runs.append(seed.add_run(session, spec, f"seed {number}", "succeeded", tags=["seeds"]))
        for run in runs:
            seed.add_measurements(session, run, (0, 1, 10, 100, 300, 600, 900, 1200))
        ids = [run.id for run in runs]
    database.dispose()
    return settings, ids


@dataclass(frozen=True)
class WidthsHome:
    """A database of its own with two runs that widths can be chosen from: ids by role."""

    settings: Settings
    database: Database
    source: int
    second: int
    bare: int

    def change(self, run_ids: Iterable[int], **columns: Any) -> None:
        """Write these columns of the runs, as a worker would."""
        with self.database.writing() as session:
            for run_id in run_ids:
                run = session.get_one(Run, run_id)
                for name, value in columns.items():
                    setattr(run, name, value)
                run.revision += 1

    def measure(self, run_id: int, **metrics: float) -> None:
        """Write metrics of the run's last iteration."""
        with self.database.writing() as session:
            rows = [(1200, name, value) for name, value in metrics.items()]
            measurements.write_metrics(session, run_id, rows)


@pytest.fixture
def widths_home(tmp_path: Path) -> Iterator[WidthsHome]:
    """Yield a database that the test may change."""
    settings = Settings(home=tmp_path, _env_file=None)
    database = Database(settings.database)
    yield WidthsHome(settings, database, **seed_widths.seed_widths(database))
    database.dispose()


@pytest.fixture
def widths_client(widths_home: WidthsHome) -> Iterator[TestClient]:
    """Yield a client of it that asks as a browser does."""
    app = build_app(widths_home.settings)
    with TestClient(app, base_url="http://127.0.0.1", headers={"Accept": "text/html"}) as opened:
        yield opened


@pytest.fixture
def widths_server(widths_home: WidthsHome, serving: Serving) -> Iterator[str]:
    """Yield the address of a server of it."""
    with serving(widths_home.settings) as address:
        yield address


@pytest.fixture
def settings_of_an_empty_database(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path, _env_file=None)
    database = Database(settings.database)
    migration.upgrade(database)
    database.dispose()
    return settings


@pytest.fixture
def session(settings_of_an_empty_database: Settings) -> Iterator[Session]:
    """Yield an open transaction on an empty database."""
    database = Database(settings_of_an_empty_database.database)
    with database.writing() as opened:
        yield opened
    database.dispose()


@pytest.fixture(autouse=True)
def validated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have plotly validate every figure, which the server leaves out for the time it takes."""
    plain = go.Figure.__init__

    def validating(self: go.Figure, *data: Any, **more: Any) -> None:
        plain(self, *data, **more | {"_validate": True})

    monkeypatch.setattr(go.Figure, "__init__", validating)
