"""Eigenvalues on the GPU against the CPU, float64."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from benchmarks.rounds import Measure, interleaved, timed
from benchmarks.rows import Row, alone, compared
from benchmarks.scale import Scale


def decomposition_rows(scale: Scale) -> tuple[Row, ...]:
    """Return, for each number of channels, the seconds of one covariance's eigenvalues where each lies."""
    device = scale.gpu_training.device
    measures: dict[str, Measure] = {}
    for width in scale.decompositions:
        samples = np.random.default_rng(0).standard_normal((width, 2 * width))
        covariance = samples @ samples.T / (2 * width)
        there = torch.from_numpy(covariance).to(device)
        measures[_named(width, "CPU")] = timed(partial(np.linalg.eigvalsh, covariance))
        measures[_named(width, "GPU")] = timed(partial(torch.linalg.eigvalsh, there), device)
    seconds = interleaved(measures, scale.matrix_rounds)
    rows = []
    for width in scale.decompositions:
        cpu, gpu = _named(width, "CPU"), _named(width, "GPU")
        rows += [alone(cpu, seconds[cpu]), compared(gpu, seconds[gpu], cpu, seconds[cpu])]
    return tuple(rows)


def _named(width: int, where: str) -> str:
    return f"eigenvalues of {width} channels on the {where}"
