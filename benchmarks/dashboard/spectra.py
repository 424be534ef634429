"""The spectra that every tool is given: layers of a ResNet-50 detector, the same numbers wherever they are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTHS = (64, 64, 256, 128, 512, 256, 1024, 512, 2048, 256)
"""Channels of ten neighbouring maps, from the stem to the FPN; a detector of 80 layers has each eight times."""
THRESHOLD = 1e-3


@dataclass(frozen=True)
class Amount:
    """How much of everything there is."""

    runs: int = 20
    layers: int = 80
    iterations: int = 200
    listed: int = 1000
    """Runs in the list, those with spectra included."""
    in_rivals: int = 2
    """Of the runs with spectra, how many the other tools are given."""

    @property
    def steps(self) -> list[int]:
        """The iterations at which there are snapshots."""
        return [100 * k for k in range(self.iterations)]


def width(layer: int) -> int:
    """Return a layer's channels."""
    return WIDTHS[layer % len(WIDTHS)]


def name(layer: int) -> str:
    """Return a layer's name, one that sorts and reads like a real one."""
    return f"layer{1 + layer // 20}.{layer % 20}.act1"


def series(run: int, layer: int, iterations: int) -> NDArray[np.float32]:
    """Return all spectra of one layer, float32 of shape (iterations, channels), each falling.

    A power law that is cut off at a dimensionality which grows with training, with noise from a seed of its own.
    """
    channels = width(layer)
    rng = np.random.default_rng([run, layer])
    j = np.arange(1, channels + 1, dtype=np.float32)
    grown = (np.arange(iterations, dtype=np.float32)[:, None] + 1) / iterations
    cut = np.maximum(2.0, channels * (0.1 + 0.7 * grown**0.4))
    values = 4.0 * j**-1.2 * np.exp(-((j / cut) ** 3))
    noise = rng.normal(0.0, 0.03, (iterations, channels)).astype(np.float32)
    return np.asarray(-np.sort(-values * np.exp(noise), axis=1), dtype=np.float32)


def dimensionalities(spectra: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the number of eigenvalues above the paper's threshold, shape (iterations,)."""
    return np.asarray((spectra > THRESHOLD).sum(axis=1), dtype=np.int64)


def all_series(amount: Amount, runs: int) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """Yield (run, layer, spectra) of the first `runs` runs."""
    for run in range(runs):
        for layer in range(amount.layers):
            yield run, layer, series(run, layer, amount.iterations)
