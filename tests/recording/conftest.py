"""A running server on SQLite, and layers with spectra as a probe would give them, without torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend import migration
from backend.database import Database
from backend.measurements import service
from backend.models import Run
from backend.settings import Settings
from eigenscope import DatabaseRecorder, FileRecorder, ServerRecorder, read_recording
from worker.probe.maps import LayerSpectrum, ProbedLayer

LAYERS = tuple(
    ProbedLayer(name, "conv", "features", width, order)  # type: ignore[arg-type]
    for order, (name, width) in enumerate([("features.0", 5), ("features.3", 8), ("head", 3)])
)
TOKEN = "s3cret-token"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return the settings of a migrated SQLite database, and of the server that asks for a token."""
    settings = Settings(home=tmp_path_factory.mktemp("site"), token=TOKEN, _env_file=None)
    database = Database(settings.database)
    migration.upgrade(database)
    database.dispose()
    return settings


@pytest.fixture(scope="session")
def server(site: Settings, serving: Callable[[Settings], AbstractContextManager[str]]) -> Iterator[str]:
    """Yield the address of the running server."""
    with serving(site) as address:
        yield address


@pytest.fixture
def database(site: Settings) -> Iterator[Database]:
    opened = Database(site.database)
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def token() -> str:
    return TOKEN


@pytest.fixture
def layers() -> Sequence[ProbedLayer]:
    return LAYERS


@pytest.fixture
def measure() -> Callable[..., list[LayerSpectrum]]:
    """Return a maker of measurements: `measure(iteration)`; `scale` changes them."""

    def measure(iteration: int, scale: float = 1.0, **changes: Any) -> list[LayerSpectrum]:
        return [_spectrum(layer, iteration, scale, changes) for layer in LAYERS]

    return measure


def _spectrum(layer: ProbedLayer, iteration: int, scale: float, changes: dict[str, Any]) -> LayerSpectrum:
    randomly = np.random.default_rng([layer.order, iteration])
    values = scale * np.sort(10 ** randomly.uniform(-6, 2, layer.width))[::-1]
    numbers = {"trace": float(values.sum()), "lambda_1": float(values[0]), "images": 4, "positions": 4 * 64}
    return LayerSpectrum(**{"layer": layer, "eigenvalues": values, **numbers, **changes})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "run.arrows"


@pytest.fixture
def about() -> dict[str, Any]:
    """Return what is said of every recording."""
    settings = {"lr": 0.1, "optimiser": "sgd", "nesterov": False, "resumed": None}
    return {"name": "mine", "tags": ("a", "b"), "iterations": 10, "init": "scratch", "settings": settings}


@dataclass
class Kept:
    """What a recorder left, whatever it wrote to."""

    about: dict[str, Any]
    status: str
    error: str | None
    layers: list[str]
    iterations: dict[str, list[int]] = field(default_factory=dict)
    eigenvalues: dict[str, np.ndarray] = field(default_factory=dict)
    dimensionality: dict[str, list[int]] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)


@dataclass
class Place:
    """Where a recorder writes: how it is made, and how what it left is read."""

    make: Callable[..., Any]
    read: Callable[[Any], Kept]
    database: Database | None


def kept_in_database(database: Database, recorder: Any) -> Kept:
    with database.reading() as session:
        run = session.get_one(Run, recorder.run_id)
        about = {"name": run.name, "tags": tuple(run.tags), "iterations": run.iterations}
        about |= {"init": run.specification["init"]["kind"], "settings": run.specification["settings"]}
        found = service.dimensions(session, run.id)
        kept = Kept(about, run.status, run.error, list(found.layers))
        for row, name in enumerate(found.layers):
            spectra = service.layer_spectra(session, run.id, name)
            kept.iterations[name] = spectra.iterations.tolist()
            kept.eigenvalues[name] = spectra.eigenvalues
            kept.dimensionality[name] = [int(x) for x in found.values[row] if not np.isnan(x)]
        kept.metrics = service.metrics(session, run.id)
        return kept


def kept_in_file(path: Path) -> Kept:
    found = read_recording(path)
    about = {key: getattr(found, key) for key in ("name", "tags", "iterations", "init", "settings")}
    spectra = found.spectra
    return Kept(
        about,
        found.status,
        found.error,
        list(spectra),
        {name: one.iterations.tolist() for name, one in spectra.items()},
        {name: one.eigenvalues for name, one in spectra.items()},
        {name: one.dimensionality.tolist() for name, one in spectra.items()},
        found.metrics,
    )


BOTH = [pytest.param("sqlite"), pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=[*BOTH, "server", "file"])
def place(request: pytest.FixtureRequest, file: Path) -> Iterator[Place]:
    with ExitStack() as stack:
        if request.param == "file":
            yield Place(lambda **about: FileRecorder(file, **about), lambda _: kept_in_file(file), None)
            return
        if request.param == "postgres":
            url = stack.enter_context(request.getfixturevalue("new_postgres")())
            database = Database(url)
            stack.callback(database.dispose)
            migration.upgrade(database)
        else:
            database = request.getfixturevalue("database")
        if request.param == "server":
            url, token = request.getfixturevalue("server"), request.getfixturevalue("token")
            make: Callable[..., Any] = lambda **about: ServerRecorder(url, token=token, **about)  # noqa: E731
        else:
            make = lambda **about: DatabaseRecorder(database.url, **about)  # noqa: E731
        yield Place(make, lambda recorder: kept_in_database(database, recorder), database)


@pytest.fixture
def read_file(file: Path) -> Callable[[], Kept]:
    """Return the reader of the recording in `file`."""
    return lambda: kept_in_file(file)
