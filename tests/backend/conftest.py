"""A migrated database on SQLite and on PostgreSQL, and an application over each."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

from backend import migration
from backend.app import create_app
from backend.architectures.widths import standard_widths
from backend.database import Database
from backend.measurements import recording
from backend.measurements import repository as measurements
from backend.measurements.recording import Record
from backend.measurements.records import LayerRow, SpectrumRow
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


class RecordedRun:
    """A recorded run of two layers, driven over HTTP."""

    widths: ClassVar = {"features.0": 3, "features.1": 2}
    body: ClassVar[dict[str, Any]] = {
        "name": "my loop",
        "tags": ["mine"],
        "iterations": 40,
        "init": {"kind": "scratch"},
        "settings": {"lr": 0.1, "optimiser": "adam", "epochs": 3, "nesterov": True, "resumed": None},
        "layers": [
            {"name": name, "map": "conv", "stage": "features", "width": width, "order": k}
            for k, (name, width) in enumerate(widths.items())
        ],
    }

    def __init__(self, client: TestClient) -> None:
        answer = client.post("/api/v1/recordings", json=self.body)
        assert answer.status_code == 201, answer.text
        self.client = client
        self.id = int(answer.json()["id"])
        self.url = f"/api/v1/runs/{self.id}"

    def record(self, layer: str, iteration: int, scale: float = 1.0) -> Record:
        """Return a spectrum whose eigenvalues fall from 2 to 0.5 times `scale`."""
        values = scale * np.linspace(2, 0.5, self.widths[layer]).astype(np.float32)
        trace, first = float(values.sum()), float(values[0])
        return Record(iteration, layer, values, int((values > 1e-3).sum()), trace, first, 2, 800)

    def snapshot(self, iteration: int, scale: float = 1.0) -> bytes:
        """Return the spectra of all layers as an Arrow stream."""
        return recording.encode([self.record(layer, iteration, scale) for layer in self.widths])

    def put(self, content: Any, url: str = "") -> Any:
        """Send spectra."""
        headers = {"content-type": recording.MEDIA_TYPE}
        return self.client.put(f"{url or self.url}/spectra", content=content, headers=headers)

    def measure(self, iteration: int, scale: float = 1.0) -> Any:
        """Send a snapshot."""
        return self.put(self.snapshot(iteration, scale))

    def shown(self) -> dict[str, Any]:
        """Return the run as it stands."""
        return dict(self.client.get(self.url).json())

    def iterations(self, layer: str = "features.0") -> list[int]:
        """Return the iterations at which a layer has a spectrum."""
        return list(self.client.get(f"{self.url}/spectra?layer={layer}").json()["iterations"])


@pytest.fixture
def recorded(client: TestClient) -> RecordedRun:
    return RecordedRun(client)


SpectraWriter = Callable[..., None]


@pytest.fixture
def write_spectra(database: Database) -> SpectraWriter:
    """Return a function that logs spectra of a ResNet-18's maps for a run.

    `dimension(map, width)` eigenvalues of each are 1 and the others 1e-6; `largest` gives some maps another first one.
    """
    widths = standard_widths("classifier", "resnet18")
    inner = {name.replace(".conv", ".act"): width for name, width in widths.items() if "." in name}
    outputs = {f"layer{s}.{b}": widths[f"layer{s}"] for s in (1, 2, 3, 4) for b in (0, 1)}
    maps = {"act1": widths["stem"]} | inner | outputs

    def write(
        run_id: int,
        dimension: Callable[[str, int], int],
        largest: Mapping[str, float] = MappingProxyType({}),
        positions: int = 4 * 4096,
        iterations: Sequence[int] = (0, 50, 100),
    ) -> None:
        with database.writing() as session:
            rows = [
                LayerRow(k, name, "act" if "act" in name else "block", name.partition(".")[0], width)
                for k, (name, width) in enumerate(maps.items())
            ]
            measurements.write_layers(session, run_id, rows)
            for iteration in iterations:
                spectra = []
                for order, (name, width) in enumerate(maps.items()):
                    count = dimension(name, width)
                    values = np.where(np.arange(width) < count, 1.0, 1e-6)
                    values[0] = first = largest.get(name, 1.0)
                    spectra.append(
                        SpectrumRow(order, values, count, float(values.sum()), first, 4, positions)
                    )
                measurements.write_spectra(session, run_id, iteration, spectra)

    return write
