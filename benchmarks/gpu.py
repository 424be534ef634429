"""What the probe adds to a training on a GPU, in seconds and in the card's memory."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.memory import memory_rows
from benchmarks.rows import Part, Row, missing
from benchmarks.scale import Scale
from benchmarks.training import ON_GPU, describe, training_rows


def measure(scale: Scale) -> Part:
    """Measure on the GPU, or return empty rows where there is none."""
    configuration = f"{describe(scale.gpu_training)} Memory is the most that torch ever had allocated."
    return Part("Training on a GPU", configuration, _rows(scale) if scale.has_gpu else _empty(scale))


def _rows(scale: Scale) -> tuple[Row, ...]:
    rows: list[Row] = []
    for count in scale.gpu_batches:
        training = replace(scale.gpu_training, batch_size=count)
        rows += training_rows(training, scale.gpu_rounds, budget_short=None, budget_long=ON_GPU)
        rows += memory_rows(training, scale.memory_probe_images, scale.gpu_memory_rounds)
    return tuple(rows)


def _empty(scale: Scale) -> tuple[Row, ...]:
    trainings = [
        missing(f"training with the probe, {count} images an iteration", budget=ON_GPU)
        for count in scale.gpu_batches
    ]
    return (*trainings, missing("memory above training alone", "MiB above"))
