"""How much memory the probe takes above training alone, each training in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.rounds import interleaved
from benchmarks.rows import Part, Row, Spread, alone
from benchmarks.scale import Scale, Training

ROOT = Path(__file__).resolve().parents[1]
MIB = 2**20
ITERATIONS = 2
"""The second is the first that finds the optimiser's own memory taken."""


def measure(scale: Scale) -> Part:
    """Measure the CPU's training."""
    rows = memory_rows(scale.training, scale.memory_probe_images, scale.memory_rounds)
    configuration = (
        f"{replace(scale.training, iterations=ITERATIONS)}, probed before the first and after each: the largest "
        "resident set that the process ever had."
    )
    return Part("Memory", configuration, rows)


def memory_rows(training: Training, probe_images: tuple[int, ...], rounds: int) -> tuple[Row, ...]:
    """Return the peak of training alone, and what is above it with each number of probe images."""
    plain = f"training alone, {training.batch_size} images"
    short = replace(training, iterations=ITERATIONS, every=1)
    measures = {plain: _peak(short, probed=False)}
    for count in probe_images:
        measures[f"probe of {count} images"] = _peak(replace(short, probe_images=count), probed=True)
    peaks = interleaved(measures, rounds, warm_up=False)
    rows = [alone(plain, peaks[plain], "MiB")]
    for name in list(measures)[1:]:
        pairs = list(zip(peaks[name], peaks[plain], strict=True))
        above = Spread.of([one - other for one, other in pairs])
        ratio = Spread.of([one / other for one, other in pairs])
        rows.append(Row(name, above, "MiB above", rounds, plain, ratio))
    return tuple(rows)


def _peak(training: Training, probed: bool) -> Callable[[], float]:
    """Return a measure, in MiB, of a process that trains and says how much memory it once had."""
    command = [sys.executable, "-m", "benchmarks.peak", json.dumps(asdict(training)), json.dumps(probed)]

    def mebibytes() -> float:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
        return int(done.stdout.splitlines()[-1]) / MIB

    return mebibytes
