"""A database with something in every state, so that wrong requests meet the code that serves right ones."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.architectures.widths import standard_widths
from backend.database import Database
from backend.datasets import registration
from backend.datasets.shapes import ShapesParameters
from backend.measurements import repository as measurements
from backend.measurements.records import LayerRow, PredictionRow, SpectrumRow
from backend.models import Base, Checkpoint, Dataset, Run, Worker
from backend.models.base import now
from backend.runs import recordings
from backend.runs.recorded import RecordingRequest
from backend.runs.repository import append_log
from backend.runs.specification import RunSpecification
from backend.settings import Settings
from backend.widths import service as widths
from backend.widths.schemas import WidthRequest

STATES = ("queued", "running", "succeeded", "failed", "cancelled", "lost")
ITERATIONS = (0, 50, 100)
SHAPES = ShapesParameters(train=3, val=2, size=64)
WEIGHTS = "drill.safetensors"
HOSTILE = "<img src=x onerror=alert(1)> ' \" %{x} 🦊"


@dataclass(frozen=True)
class Ids:
    """What there is to ask for."""

    runs: tuple[int, ...]
    plans: tuple[int, ...]
    datasets: tuple[int, ...]
    images: tuple[int, ...]
    layers: tuple[str, ...]

    def of(self, name: str) -> Sequence[Any]:
        """Return what a parameter of this name may be; nothing where it is no such name."""
        known: Mapping[str, Sequence[Any]] = {
            "run_id": self.runs,
            "plan_id": self.plans,
            "dataset_id": self.datasets,
            "image_id": self.images,
            "layer": self.layers,
            "iteration": ITERATIONS,
            "from": self.runs,
            "run": self.runs,
            "runs": tuple(f"{one},{other}" for one in self.runs[:4] for other in self.runs[2:6]),
            "split": ("train", "val"),
            "file": (WEIGHTS,),
        }
        return known.get(name, ())


def fill(settings: Settings, database: Database) -> Ids:
    """Empty a migrated database, fill it anew and return what it holds."""
    _empty(database)
    _write_weights(settings.data / WEIGHTS)
    dataset_id = registration.register_shapes(database, settings, "drill", SHAPES).id
    with database.writing() as session:
        dataset = session.get_one(Dataset, dataset_id)
        session.add(Worker(name="drill:1:1", host="drill", devices=[{"name": "card", "memory_bytes": 2**33}]))
        runs = [_launched(session, settings, dataset, state) for state in STATES]
        runs += [_recorded(session, state) for state in ("running", "lost", "succeeded")]
        runs[3].archived = True
        source = runs[STATES.index("succeeded")]
        plan = widths.store(session, WidthRequest(run_id=source.id))
        return Ids(
            runs=tuple(run.id for run in runs),
            plans=(plan.id,),
            datasets=(dataset_id,),
            images=(1, 2),
            layers=tuple(layer.name for layer in measurements.layers(session, source.id)[:5]),
        )


def _empty(database: Database) -> None:
    with database.writing() as session:
        if session.get_bind().dialect.name == "postgresql":
            names = ", ".join(table.name for table in Base.metadata.sorted_tables)
            session.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
        else:
            for table in reversed(Base.metadata.sorted_tables):
                session.execute(table.delete())
            # Ids begin at 1 again, as PostgreSQL's do: requests made before may be sent after.
            session.execute(text("DELETE FROM sqlite_sequence"))


def _write_weights(path: Path) -> None:
    """Write a small file of weights that is right in itself and fits no network."""
    header = json.dumps({"fc.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(16))


def _launched(session: Session, settings: Settings, dataset: Dataset, state: str) -> Run:
    specification = RunSpecification.model_validate(
        {
            "name": f"{state} {HOSTILE}"[:200],
            "tags": ["drill", HOSTILE[:60]],
            "dataset_id": dataset.id,
            "model": {"architecture": "faster_rcnn", "backbone": "resnet18"},
            "training": {"iterations": 100, "image_size": 64},
        }
    )
    run = Run(
        name=specification.name,
        tags=list(specification.tags),
        specification=specification.model_dump(mode="json"),
        dataset_id=dataset.id,
        status=state,
        iteration=0 if state == "queued" else 100,
        iterations=100,
        seconds_per_iteration=0.1,
        ap=0.3 if state == "succeeded" else None,
        parameters=11_000_000,
        macs=2_000_000_000,
        error="it broke" if state == "failed" else None,
        started_at=None if state == "queued" else now(),
        finished_at=now() if state in ("succeeded", "failed", "cancelled") else None,
    )
    session.add(run)
    session.flush()
    if state != "queued":
        _measure(session, run, maps_of_resnet18())
        _add_files(session, settings, run)
    return run


def maps_of_resnet18() -> list[LayerRow]:
    """Name the maps that width plans read of a ResNet-18."""
    wide = standard_widths("faster_rcnn", "resnet18")
    maps = {"act1": wide["stem"]}
    maps |= {name.replace(".conv", ".act"): width for name, width in wide.items() if "." in name}
    maps |= {f"layer{s}.{b}": wide[f"layer{s}"] for s in (1, 2, 3, 4) for b in (0, 1)}
    return [
        LayerRow(k, name, "act" if "act" in name else "block", name.partition(".")[0], width)
        for k, (name, width) in enumerate(maps.items())
    ]


def _recorded(session: Session, state: str) -> Run:
    layers = [LayerRow(0, "features.0", "conv", "features", 8), LayerRow(1, HOSTILE, "own", "head", 4)]
    request = RecordingRequest.model_validate(
        {
            "name": f"recorded {state}",
            "iterations": 100,
            "settings": {"lr": 0.1, "augment": True, "optimiser": "adam", "name": HOSTILE, "none": None},
            "layers": [
                {"name": one.name, "map": one.map, "stage": one.stage, "width": one.width, "order": one.order}
                for one in layers
            ],
        }
    )
    run = recordings.start(session, request)
    run.status, run.iteration = state, 100
    _measure(session, run, layers)
    return run


def _measure(session: Session, run: Run, layers: Sequence[LayerRow]) -> None:
    measurements.write_layers(session, run.id, layers)
    for iteration in ITERATIONS:
        rows = []
        for layer in layers:
            values = 2.0 * np.exp(-np.arange(layer.width) / (0.1 * layer.width))
            count = int((values > 1e-3).sum())
            rows.append(SpectrumRow(layer.order, values, count, float(values.sum()), 2.0, 4, 40_000))
        measurements.write_spectra(session, run.id, iteration, rows)
    names = ("loss", "lr", "wall_seconds", "ap", "ap/disc", HOSTILE)
    points = [(i, name, float("nan") if i == 50 else 1.0 / (i + 1)) for i in ITERATIONS for name in names]
    measurements.write_metrics(session, run.id, points)
    append_log(session, run.id, [f"line {k}" for k in range(20)] + [HOSTILE])


def _add_files(session: Session, settings: Settings, run: Run) -> None:
    file = settings.run_folder(run.id) / "checkpoint-100.pt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"no checkpoint, but a file")
    session.add(Checkpoint(run_id=run.id, iteration=100, file=str(file.relative_to(settings.home)), bytes=25))
    box = {"bbox": [1.0, 2.0, 3.0, 4.0], "category_id": 1, "outlines": None}
    data = {
        "file_name": "val_000000.png",
        "width": 64,
        "height": 64,
        "objects": 1,
        "truth": [box],
        "found": [{**box, "score": 0.5}],
    }
    measurements.write_predictions(session, run.id, 100, [PredictionRow(1, data)])
