"""How fast the trainer's loop is, against the loop that detectors' trainings are usually taken from."""

from __future__ import annotations

import time
from dataclasses import replace

import torch

from benchmarks.reference import train
from benchmarks.rounds import interleaved, wait
from benchmarks.rows import Part, alone, compared
from benchmarks.scale import Scale
from benchmarks.training import Bench, Pictures
from worker.training.data import DetectionSet

AT_MOST = 1.0
"""Of the reference's seconds."""
REFERENCE, OURS = "the reference loop", "the trainer's loop"


def measure(scale: Scale) -> Part:
    """Measure whole trainings of both, in turn, from the same weights over the same batches; no probe."""
    training = replace(scale.training, iterations=scale.speed_iterations)
    with Pictures(training) as bench:
        measures = {REFERENCE: lambda: reference_seconds(bench), OURS: lambda: bench.seconds(probed=False)}
        seconds = interleaved(measures, scale.speed_rounds)
    name = f"{training.iterations} iterations of {training.batch_size} images"
    against = f"{name}, {REFERENCE}"
    rows = (
        alone(against, seconds[REFERENCE]),
        compared(f"{name}, {OURS}", seconds[OURS], against, seconds[REFERENCE], AT_MOST),
    )
    return Part("Training speed", f"{training}. Neither probed, evaluated nor saved.", rows)


def reference_seconds(bench: Bench) -> float:
    """Train once by the reference loop and return its seconds."""
    parts, _ = bench.parts(probed=False)
    examples = parts.training
    if not isinstance(examples, DetectionSet):
        raise TypeError("the reference loop trains detectors")
    device = torch.device(bench.training.device)
    wait(bench.training.device)
    began = time.perf_counter()
    train(parts.model, examples, parts.specification.training, device)
    wait(bench.training.device)
    return time.perf_counter() - began
