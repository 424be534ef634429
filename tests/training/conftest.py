"""A tiny dataset, a tiny detector and a recorder that only remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from backend import migration
from backend.database import Database
from backend.datasets.coco import CocoFile, read_coco
from backend.datasets.registration import register_coco
from backend.datasets.shapes import generate
from backend.measurements.records import CheckpointRow, PredictionRow, SpectrumRow
from backend.runs.service import launch
from backend.runs.specification import RunSpecification
from backend.settings import Settings
from worker.training.data import example_set
from worker.training.detectors import build_model
from worker.training.freezing import freeze
from worker.training.loop import Loop, Parts
from worker.training.snapshots import make_probe
from worker.training.stopping import StopFlag

TINY = {"stem": 8, "layer1": 8, "layer2": 12, "layer3": 12, "layer4": 16, "fpn": 8, "box_head": 16} | {
    f"layer{stage}.{block}.conv1": 8 for stage in (1, 2, 3, 4) for block in (0, 1)
}
TINY_BODY = {group: width for group, width in TINY.items() if group not in ("fpn", "box_head")}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Tiny tensors gain nothing by threads, and lose much where tests share the cores."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training") / "shapes"
    generate(folder, seed=3, train=12, val=5, size=64)
    return folder


@pytest.fixture
def coco(shapes: Path) -> CocoFile:
    return read_coco(shapes / "train.json")


@pytest.fixture
def truth(shapes: Path) -> CocoFile:
    return read_coco(shapes / "val.json")


class Memory:
    """What a `Recorder` is told, kept in lists."""

    def __init__(self) -> None:
        self.points: dict[int, dict[str, float]] = {}
        self.snapshots: dict[int, list[SpectrumRow]] = {}
        self.results: list[dict[str, float]] = []
        self.predicted: dict[int, list[PredictionRow]] = {}
        self.phases: list[str] = []
        self.on_phase: Callable[[str], None] = lambda _phase: None
        self.progressed: list[int] = []
        self.file: Path | None = None
        self.kept: dict[int, CheckpointRow] = {}

    def metrics(self, iteration: int, values: Mapping[str, float]) -> None:
        self.points.setdefault(iteration, {}).update(values)

    def losses(self) -> dict[int, dict[str, float]]:
        return {
            i: {n: v for n, v in point.items() if "loss" in n or n == "lr"}
            for i, point in self.points.items()
            if "loss" in point
        }

    def progress(self, iteration: int, _seconds: float) -> None:
        self.progressed.append(iteration)

    def spectra(self, iteration: int, rows: Sequence[SpectrumRow], seconds: float) -> None:
        self.snapshots[iteration] = list(rows)

    def predictions(self, iteration: int, rows: Sequence[PredictionRow]) -> None:
        self.predicted[iteration] = list(rows)

    def phase(self, phase: str) -> None:
        self.phases.append(phase)
        self.on_phase(phase)

    def result(self, **values: float) -> None:
        self.results.append(values)

    def checkpoints(self, rows: Sequence[CheckpointRow]) -> bool:
        self.kept = {row.iteration: row for row in rows}
        self.file = next((row.file for row in rows if "last" in row.kept_as), None)
        return True


@pytest.fixture
def memory() -> Memory:
    """Return a recorder that only remembers."""
    return Memory()


@pytest.fixture(name="specification")
def specification_maker() -> Callable[..., RunSpecification]:
    """Return a maker of specifications."""
    return _specification


def _specification(**changes: Any) -> RunSpecification:
    """A detector of 21,000 parameters for six iterations; keywords change one part each."""
    base: dict[str, dict[str, Any]] = {
        "model": {"backbone": "resnet18", "widths": TINY},
        "training": {"iterations": 6, "batch_size": 2, "image_size": 64, "lr": 0.01, "warmup": 3},
        "probe": {"images": 0},
    }
    if changes.get("model", {}).get("architecture") == "classifier":
        base["model"]["widths"] = TINY_BODY
    parts = {name: values | changes.pop(name, {}) for name, values in base.items()}
    return RunSpecification.model_validate({"dataset_id": 1} | parts | changes)


@pytest.fixture
def make_loop(
    coco: CocoFile, truth: CocoFile, shapes: Path, tmp_path: Path
) -> Callable[..., tuple[Loop, Memory]]:
    """Return a maker of a loop and the memory of what it tells, from a specification."""

    def make(
        wanted: RunSpecification,
        folder: str = "run",
        stop: StopFlag | None = None,
        kept: tuple[CheckpointRow, ...] = (),
    ) -> tuple[Loop, Memory]:
        training, memory, stop = wanted.training, Memory(), stop or StopFlag()
        torch.manual_seed(training.seed)
        model = build_model(wanted.model, len(coco.categories), training.image_size, training.seed)
        freeze(model, training.trainable_stages)
        sets = [
            example_set(wanted.model.architecture, file, shapes / "images", training.image_size)
            for file in (coco, truth)
        ]
        probe = (
            make_probe(model, sets[1], wanted.probe, lambda: stop.requested) if wanted.probe.images else None
        )
        parts = Parts(
            specification=wanted,
            model=model,
            training=sets[0],
            validation=sets[1],
            truth=truth,
            probe=probe,
            recorder=memory,
            stop=stop,
            folder=tmp_path / folder,
            device=torch.device("cpu"),
            kept=kept,
        )
        return Loop(parts), memory

    return make


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("DATABASE_URL", "DATA_ROOT", "LEASE_OWNER", "SUPERVISOR"):
        monkeypatch.delenv(f"EIGENSCOPE_{name}", raising=False)
    monkeypatch.setenv("EIGENSCOPE_HOME", str(tmp_path / "home"))
    return Settings(_env_file=None)


@pytest.fixture
def database(settings: Settings, shapes: Path) -> Iterator[Database]:
    opened = Database(settings.database)
    migration.upgrade(opened)
    register_coco(opened, "tiny", shapes / "train.json", shapes / "val.json", shapes / "images")
    yield opened
    opened.dispose()


@pytest.fixture
def queued(
    settings: Settings, database: Database, specification: Callable[..., RunSpecification]
) -> Callable[..., int]:
    """Return a launcher of runs on the tiny dataset; it gives their numbers."""

    def queue_run(**changes: Any) -> int:
        with database.writing() as session:
            return launch(session, settings, specification(**changes)).id

    return queue_run
