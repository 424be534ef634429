"""A database as a year of work leaves it: a few runs with all their spectra, and a long list."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

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
    with database.writing() as session:
        dataset = _dataset(session)
        for number in range(amount.listed):
            _run(session, dataset.id, number, amount)
    for run in range(amount.runs):
        with database.writing() as session:
            _measure(session, run, amount)
    database.dispose()


def _dataset(session: Session) -> Dataset:
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


def _run(session: Session, dataset_id: int, number: int, amount: Amount) -> Run:
    iterations = amount.steps[-1]
    init = {"kind": "scratch"} if number % 2 else {"kind": "imagenet"}
    specification = RunSpecification.model_validate(
        {
            "dataset_id": dataset_id,
            "init": init,
            "training": {"iterations": iterations, "seed": number, "lr": 0.001 * (1 + number % 20)},
        }
    )
    created = now() - timedelta(hours=number + 1)
    run = Run(
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
    session.add(run)
    session.flush()
    points = [(i, "loss", 2.0 * 0.99 ** (i // 100) + 0.3) for i in amount.steps[1:]]
    points += [(i, "ap", 0.3 * i / iterations) for i in amount.steps[10::10]]
    repository.write_metrics(session, run.id, points)
    return run


def _measure(session: Session, run: int, amount: Amount) -> None:
    layers = [LayerRow(k, name(k), "act", name(k).partition(".")[0], width(k)) for k in range(amount.layers)]
    repository.write_layers(session, run + 1, layers)
    spectra = [series(run, layer, amount.iterations) for layer in range(amount.layers)]
    counts = [dimensionalities(one) for one in spectra]
    for k, iteration in enumerate(amount.steps):
        rows = []
        for layer in range(amount.layers):
            values = spectra[layer][k]
            count, trace, largest = int(counts[layer][k]), float(values.sum()), float(values[0])
            rows.append(SpectrumRow(layer, values, count, trace, largest, IMAGES, POSITIONS))
        repository.write_spectra(session, run + 1, iteration, rows)
