"""Instances of Eigenscope with something of everything in them, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Table, select

from backend import migration
from backend.database import Database
from backend.measurements import repository as measurements
from backend.measurements.records import LayerRow, PredictionRow, SpectrumRow
from backend.models import Base, Checkpoint, Dataset, DatasetImage, Run, WidthPlan, WidthPlanRun, Worker
from backend.models.base import now
from backend.runs.recorded import RecordedSpecification
from backend.runs.repository import append_log
from backend.runs.specification import RunSpecification
from backend.settings import Settings

WIDTHS = (5, 3)
ITERATIONS = (0, 7, 100)


@dataclass
class Place:
    """One instance."""

    settings: Settings
    database: Database

    def rows(self, name: str, /, **where: Any) -> list[dict[str, Any]]:
        """Return a table's rows by key, those with these values in these columns."""
        table: Table = Base.metadata.tables[name]
        query = select(table).where(*(table.c[column] == value for column, value in where.items()))
        with self.database.reading() as session:
            found = session.execute(query.order_by(*table.primary_key.columns)).mappings()
            return [dict(row) for row in found]

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        """Return all rows of all tables."""
        return {name: self.rows(name) for name in Base.metadata.tables}

    def files(self) -> dict[str, bytes]:
        """Return what lies below the home folder, but for the database's own files."""
        return {
            file.relative_to(self.settings.home).as_posix(): file.read_bytes()
            for file in sorted(self.settings.home.rglob("*"))
            if file.is_file() and ".db" not in file.name
        }


@dataclass
class Seeded:
    """The runs of a seeded instance."""

    place: Place
    parent: int
    child: int
    recorded: int
    running: int
    dataset: int


@pytest.fixture
def make_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Place]]:
    """Return a maker of empty, migrated instances: `sqlite` or `postgres`."""
    with ExitStack() as stack:

        def make(kind: str) -> Place:
            home = tmp_path / f"home{len(list(tmp_path.iterdir()))}"
            for folder in ("runs", "datasets"):
                (home / folder).mkdir(parents=True)
            url = "" if kind == "sqlite" else stack.enter_context(request.getfixturevalue("new_postgres")())
            settings = Settings(home=home, database_url=url, _env_file=None)
            opened = Database(settings.database)
            stack.callback(opened.dispose)
            migration.upgrade(opened)
            return Place(settings, opened)

        yield make


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, make_place: Callable[[str], Place]) -> Place:
    return make_place(request.param)


def measure(place: Place, session: Any, run_id: int, seed: int) -> None:
    """Give a run layers, spectra with every bit in use, metrics, a log and predictions."""
    rng = np.random.default_rng(seed)
    layers = [LayerRow(k, f"layer{k}.<b>é", "act", f"layer{k}", width) for k, width in enumerate(WIDTHS)]
    measurements.write_layers(session, run_id, layers)
    for iteration in ITERATIONS:
        rows = []
        for layer in layers:
            values = np.sort(rng.lognormal(0, 4, layer.width))[::-1]
            rows.append(
                SpectrumRow(layer.order, values, 2, float(values.sum()), float(values[0]), 64, 2**40 + 1)
            )
        measurements.write_spectra(session, run_id, iteration, rows)
    points = [(i, "loss", float(rng.normal())) for i in range(1, 40)]
    points += [(40, "loss", float("nan")), (40, "ap/a 'quoted' name", 0.1 + 0.2)]
    measurements.write_metrics(session, run_id, points)
    append_log(session, run_id, ["one\ttwo", "", "ünï\u2028code </script>"])
    found = {"file_name": "a.png", "width": 3, "height": 2, "objects": 1, "truth": [], "found": []}
    box = {"bbox": [0.1, 0.2, 1 / 3, 1.0], "category_id": 1, "score": 0.875}
    data = found | {"found": [box], "truth": [{"bbox": [0, 0, 1, 1], "category_id": 1}]}
    measurements.write_predictions(session, run_id, 100, [PredictionRow(2**40, data)])


def keep(place: Place, session: Any, run_id: int, iteration: int, kept_as: Sequence[str]) -> None:
    """Give a run a checkpoint with files of their own content."""
    folder = place.settings.run_folder(run_id)
    folder.mkdir(parents=True, exist_ok=True)
    stem = "checkpoint" if "last" in kept_as else "weights"
    names = [f"{stem}-{iteration:08d}.pt"]
    if "last" in kept_as and len(kept_as) > 1:
        names.append(f"weights-{iteration:08d}.pt")
    for name in names:
        (folder / name).write_bytes(f"{run_id} {name}".encode() * 50)
    size = sum((folder / name).stat().st_size for name in names)
    file = f"runs/{run_id}/{names[0]}"
    row = Checkpoint(run_id=run_id, iteration=iteration, file=file, bytes=size, kept_as=list(kept_as))
    session.add(row)


def add_dataset(place: Place, session: Any, name: str = "cells") -> Dataset:
    """Add a dataset that was converted here: its annotations lie in the home folder."""
    folder = place.settings.generated / "voc-1"
    folder.mkdir(exist_ok=True)
    for split in ("train", "val"):
        (folder / f"{split}.json").write_text(f'{{"{split}": 1}}')
    dataset = Dataset(
        name=name,
        kind="voc",
        train=str(folder / "train.json"),
        val=str(folder / "val.json"),
        images="/data/images",
        categories=[{"id": 1, "name": "cell"}],
        has_masks=True,
        counts={"train": {"images": 9, "annotations": 20}, "val": {"images": 3, "annotations": 5}},
    )
    session.add(dataset)
    session.flush()
    session.add(DatasetImage(dataset_id=dataset.id, split="val", image_id=2**40, file_name="a.png"))
    return dataset


def add_run(session: Any, dataset: int, name: str, **columns: Any) -> Run:
    """Add a launched run."""
    init = columns.pop("init", {"kind": "scratch"})
    body = {"dataset_id": dataset, "init": init, "model": {"backbone": "resnet18"}}
    specification = RunSpecification.model_validate(body | {"training": {"iterations": 100}})
    long_ago = now() - timedelta(days=90)
    values: dict[str, Any] = {"status": "succeeded", "iteration": 100, "finished_at": long_ago}
    run = Run(
        name=name,
        specification=specification.model_dump(mode="json"),
        dataset_id=dataset,
        iterations=100,
        created_at=long_ago,
        **(values | columns),
    )
    session.add(run)
    session.flush()
    return run


def seed(place: Place) -> Seeded:
    """Fill an instance: a parent, its child, a recorded run, a running one, a plan, a worker; and a run deleted."""
    with place.database.writing() as session:
        dataset = add_dataset(place, session).id
        parent = add_run(
            session,
            dataset,
            "parent",
            tags=["a", 'b"c'],
            notes="two\nlines, ünïcode",
            ap=0.1 + 0.2,
            macs=2**40,
        )
        init = {"kind": "run", "run_id": parent.id, "iteration": None}
        child = add_run(session, dataset, "child", parent_run_id=parent.id, init=init, archived=True)
        recorded = Run(
            name="recorded",
            origin="recorded",
            status="succeeded",
            iterations=0,
            specification=RecordedSpecification().model_dump(mode="json"),
        )
        running = add_run(
            session,
            dataset,
            "running",
            status="running",
            iteration=50,
            phase="training",
            lease_owner="host:1:1",
            lease_expires_at=now(),
            finished_at=None,
        )
        session.add(recorded)
        session.flush()
        gone = add_run(session, dataset, "gone")
        for run in (parent, child, recorded, running):
            measure(place, session, run.id, run.id)
        keep(place, session, parent.id, 100, ["last", "best"])
        keep(place, session, parent.id, 7, ["snapshot"])
        keep(place, session, child.id, 100, ["last"])
        keep(place, session, running.id, 40, ["last"])
        request = {"run_id": parent.id, "iteration": 100}
        plan = WidthPlan(run_id=parent.id, request=request, plan={"a": 1 / 3}, specification={})
        session.add(plan)
        session.flush()
        session.add(WidthPlanRun(run_id=child.id, plan_id=plan.id, role="selected"))
        session.add(Worker(name="host:1:1", host="host", seen_at=now() - timedelta(hours=2)))
        session.delete(gone)
        return Seeded(place, parent.id, child.id, recorded.id, running.id, dataset)


@pytest.fixture
def seeded(place: Place) -> Seeded:
    return seed(place)


@pytest.fixture
def seed_place() -> Callable[[Place], Seeded]:
    return seed


@pytest.fixture
def keep_checkpoint() -> Callable[..., None]:
    return keep


@pytest.fixture
def new_run() -> Callable[..., Run]:
    return add_run
