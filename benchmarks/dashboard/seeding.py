"""A database as a year of work leaves it: a few runs with all their spectra, and a long list."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend import migration
from backend.database import Database
from backend.measurements import repository
from backend.measurements.records import LayerRow, SpectrumRow
from backend.models import Dataset, Run
from backend.models.base import now
from backend.runs.specification import RunSpecification
from backend.settings import Settings
from benchmarks.dashboard.spectra import Amount, dimensionalities, name, series, width

IMAGES, POSITIONS = 64, 64 * 4096


def seed(home: Path, amount: Amount) -> None:
    """Fill a database below `home`: the runs with spectra first, so that their ids are 1, 2, …"""
    settings = Settings(home=home, _env_file=None)
    database = Database(settings.database)
    migration.upgrade(database)
    fill(database, amount)
    database.dispose()


def fill(database: Database, amount: Amount) -> int:
    """Fill a migrated, empty database in the same way; return the id of its dataset."""
    with database.writing() as session:
        dataset_id = add_dataset(session).id
        for number in range(amount.listed):
            _add_run(session, dataset_id, number, amount)
    for run in range(amount.runs):
        with database.writing() as session:
            _measure(session, run, amount)
    return dataset_id


def add_dataset(session: Session) -> Dataset:
    """Add the dataset of all runs."""
    counts = {"train": {"images": 800, "annotations": 4000}, "val": {"images": 200, "annotations": 1000}}
    dataset = Dataset(
        name="generated",
        kind="shapes",
        train="train.json",
        val="val.json",
        images="images",
        categories=[{"id": 1, "name": "disc"}],
        has_masks=False,
        counts=counts,
    )
    session.add(dataset)
    session.flush()
    return dataset


def _add_run(session: Session, dataset_id: int, number: int, amount: Amount) -> None:
    iterations = amount.steps[-1]
    run = run_that_ended(dataset_id, number, iterations)
    session.add(run)
    session.flush()
    points = [(i, "loss", 2.0 * 0.99 ** (i // 100) + 0.3) for i in amount.steps[1:]]
    points += [(i, "ap", 0.3 * i / iterations) for i in amount.steps[10::10]]
    repository.write_metrics(session, run.id, points)


def run_that_ended(dataset_id: int, number: int, iterations: int) -> Run:
    """Return a run with a result, one of a long list."""
    init = {"kind": "scratch"} if number % 2 else {"kind": "imagenet"}
    specification = RunSpecification.model_validate(
        {
            "dataset_id": dataset_id,
            "init": init,
            "training": {"iterations": iterations, "seed": number, "lr": 0.001 * (1 + number % 20)},
        }
    )
    created = now() - timedelta(hours=number + 1)
    return Run(
        name=f"Faster R-CNN {number}",
        tags=[f"group {number // 10}"],
        specification=specification.model_dump(mode="json"),
        dataset_id=dataset_id,
        status="succeeded",
        iteration=iterations,
        iterations=iterations,
        attempt=1,
        seconds_per_iteration=0.4,
        ap=0.30 + 0.1 * (number % 17) / 17,
        parameters=41_309_411,
        backbone_parameters=23_454_912,
        macs=134_400_000_000,
        created_at=created,
        started_at=created,
        finished_at=created + timedelta(hours=2),
    )


def _measure(session: Session, run: int, amount: Amount) -> None:
    repository.write_layers(session, run + 1, layer_rows(amount.layers))
    snapshots = spectrum_rows(run, amount.layers, amount.iterations)
    for iteration, rows in zip(amount.steps, snapshots, strict=True):
        repository.write_spectra(session, run + 1, iteration, rows)


def layer_rows(layers: int) -> list[LayerRow]:
    """Return the layers of a run."""
    return [LayerRow(k, name(k), "act", name(k).partition(".")[0], width(k)) for k in range(layers)]


def spectrum_rows(run: int, layers: int, iterations: int) -> list[list[SpectrumRow]]:
    """Return a run's snapshots."""
    spectra = [series(run, layer, iterations) for layer in range(layers)]
    counts = [dimensionalities(one) for one in spectra]
    return [
        [_spectrum_row(layer, spectra[layer][k], int(counts[layer][k])) for layer in range(layers)]
        for k in range(iterations)
    ]


def _spectrum_row(layer: int, values: NDArray[np.float32], count: int) -> SpectrumRow:
    trace, largest = float(values.sum()), float(values[0])
    return SpectrumRow(layer, values, count, trace, largest, IMAGES, POSITIONS)
