"""What the probe adds to a training, measured with the trainer's own loop."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from backend.datasets.coco import read_coco
from backend.measurements.records import SpectrumRow
from backend.runs.specification import TrainingSpecification
from benchmarks.pictures import write_pictures
from benchmarks.rounds import interleaved, wait
from benchmarks.rows import Part, Row, Spread, alone, compared
from benchmarks.scale import Scale, Training
from worker.training.data import example_set
from worker.training.detectors import build_model
from worker.training.freezing import freeze
from worker.training.loop import Loop, Parts
from worker.training.session import seed_everything
from worker.training.snapshots import make_probe
from worker.training.stopping import StopFlag

ON_CPU, ON_GPU = 1.05, 1.02
"""What a training may take with the probe, relative to one without."""
DISTINCT_BATCHES = 4
OFF, ON = "training alone", "with the probe"


class Unjudged(Loop):
    """The loop without what costs the same with and without a probe: it neither evaluates nor saves.

    It still waits at the end for spectra under way, as saving does first.
    """

    def _evaluate(self) -> None:
        pass

    def _save(self) -> None:
        self._finish_snapshots()


class Silent:
    """A recorder that writes nothing, and counts snapshots."""

    def __init__(self) -> None:
        self.snapshots = 0

    def metrics(self, iteration: int, values: Mapping[str, float]) -> None:
        """Take scalars."""

    def progress(self, iteration: int, seconds: float | None) -> None:
        """Take how far the run is."""

    def phase(self, phase: str) -> None:
        """Take what the run does."""

    def spectra(self, iteration: int, rows: Sequence[SpectrumRow], seconds: float) -> None:
        """Take a snapshot."""
        self.snapshots += 1


@dataclass(frozen=True)
class Bench:
    """A training that can be run again and again from its beginning, on pictures in `folder`."""

    training: Training
    folder: Path

    def seconds(self, probed: bool) -> float:
        """Train once and return the seconds from before the first iteration until all spectra are there."""
        parts, recorder = self.parts(probed)
        loop = Unjudged(parts)
        wait(self.training.device)
        began = time.perf_counter()
        loop.run()
        wait(self.training.device)
        took = time.perf_counter() - began
        expected = self.training.snapshots if probed else 0
        if recorder.snapshots != expected:
            raise AssertionError(f"{recorder.snapshots} snapshots were taken and not {expected}")
        return took

    def parts(self, probed: bool) -> tuple[Parts, Silent]:
        """Return what a training is made of, at its beginning, and what counts its snapshots."""
        wanted, recorder = self.training.specification(), Silent()
        size, device = wanted.training.image_size, torch.device(self.training.device)
        training, truth = (read_coco(self.folder / f"{split}.json") for split in ("train", "val"))
        examples = [
            example_set("faster_rcnn", file, self.folder / "images", size) for file in (training, truth)
        ]
        seed_everything(wanted.training.seed)
        model = build_model(wanted.model, len(training.categories), size, wanted.training.seed)
        freeze(model, wanted.training.trainable_stages)
        if device.type == "cuda":
            model.to(memory_format=torch.channels_last)
        model.to(device)
        parts = Parts(
            specification=wanted,
            model=model,
            training=examples[0],
            validation=examples[1],
            truth=truth,
            probe=make_probe(model, examples[1], wanted.probe, lambda: False) if probed else None,
            recorder=recorder,  # type: ignore[arg-type]
            stop=StopFlag(),
            folder=self.folder,
            device=device,
        )
        return parts, recorder


class Pictures(AbstractContextManager[Bench]):
    """Draws a training's pictures, and removes them at the end."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self._folder = TemporaryDirectory()

    def __enter__(self) -> Bench:
        training, folder = self._training, Path(self._folder.name) / "pictures"
        train, val = DISTINCT_BATCHES * training.batch_size, training.probe_images
        write_pictures(folder, training.height, training.width, train, val)
        return Bench(training, folder)

    def __exit__(self, *_error: object) -> None:
        self._folder.cleanup()


def measure(scale: Scale) -> Part:
    """Measure the CPU's training."""
    rows = training_rows(scale.training, scale.training_rounds, budget_short=ON_CPU, budget_long=None)
    return Part("Training", f"{describe(scale.training)} Neither evaluated nor saved.", rows)


def describe(training: Training) -> str:
    """Say what is trained and how it is probed."""
    return (
        f"{training}; the probe looks at {training.probe_images} images, at the default kinds of map, "
        f"{training.snapshots} times."
    )


def training_rows(
    training: Training, rounds: int, budget_short: float | None, budget_long: float | None
) -> tuple[Row, ...]:
    """Return the seconds of whole trainings, without and with the probe, and what follows for a default run."""
    with Pictures(training) as bench:
        replace(bench, training=replace(training, iterations=2, every=1)).seconds(probed=True)
        measures = {OFF: lambda: bench.seconds(probed=False), ON: lambda: bench.seconds(probed=True)}
        seconds = interleaved(measures, rounds, warm_up=False)
    name = f"{training.iterations} iterations of {training.batch_size} images"
    off = f"{name}, {OFF}"
    short = compared(f"{name}, {ON}", seconds[ON], off, seconds[OFF], budget_short)
    return (alone(off, seconds[OFF]), short, default_run(training, seconds, budget_long))


def default_run(training: Training, seconds: Mapping[str, Sequence[float]], budget: float | None) -> Row:
    """Return what the measured cost of a snapshot is to a run of the default length, whose snapshots are rarer."""
    whole = replace(training, iterations=TrainingSpecification().iterations)
    rarer = (whole.snapshots / whole.iterations) / (training.snapshots / training.iterations)
    extra = [on - off for on, off in zip(seconds[ON], seconds[OFF], strict=True)]
    ratios = [1 + rarer * more / off for more, off in zip(extra, seconds[OFF], strict=True)]
    return Row(
        f"a run of {whole.iterations:,} iterations, {whole.snapshots} snapshots of {training.probe_images} images",
        Spread.of([more * whole.snapshots / training.snapshots for more in extra]),
        "s more",
        len(extra),
        "the same, training alone",
        Spread.of(ratios),
        budget,
        "computed from the rows above",
    )
