"""Textures: fields in 0..1 that say, pixel by pixel, how much of the second of two colours shows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import PIL.Image
from numpy.typing import NDArray

Field = NDArray[np.float32]
"""Shape (height, width), 0..1."""

Texture = Callable[[np.random.Generator, int, int, float], Field]
"""(random numbers, height, width, pixels of one unit of scale) -> field."""


def _turned(rng: np.random.Generator, height: int, width: int) -> tuple[Field, Field]:
    """Return two orthogonal coordinates in pixels, turned at random."""
    angle = rng.uniform(0, np.pi)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return c * x + s * y, c * y - s * x


def _wave(coordinate: Field, period: float, phase: float) -> Field:
    wave: Field = np.sin(coordinate * np.float32(2 * np.pi / period) + np.float32(phase))
    return wave


def _sharpened(wave: Field, hardness: float = 3.0) -> Field:
    """Map -1..1 to 0..1 with a soft edge at 0, so that no staircase betrays the pixel grid."""
    field: Field = np.clip(wave * np.float32(hardness) * 0.5 + 0.5, 0, 1)
    return field


def stripes(rng: np.random.Generator, height: int, width: int, unit: float) -> Field:
    """Parallel stripes."""
    along, _ = _turned(rng, height, width)
    return _sharpened(_wave(along, rng.uniform(4, 11) * unit, rng.uniform(0, 2 * np.pi)))


def checker(rng: np.random.Generator, height: int, width: int, unit: float) -> Field:
    """A checkerboard."""
    along, across = _turned(rng, height, width)
    period = rng.uniform(7, 14) * unit
    return _sharpened(_wave(along, period, 0) * _wave(across, period, rng.uniform(0, np.pi)), 4)


def dots(rng: np.random.Generator, height: int, width: int, unit: float) -> Field:
    """Round dots on a lattice."""
    along, across = _turned(rng, height, width)
    period = rng.uniform(6, 11) * unit
    level = np.float32(rng.uniform(0.4, 1.0))
    return _sharpened(_wave(along, period, 0) + _wave(across, period, 0) - level)


def noise(rng: np.random.Generator, height: int, width: int, unit: float) -> Field:
    """Smooth noise of two scales."""
    coarse, fine = rng.uniform(8, 20) * unit, rng.uniform(2.5, 5) * unit
    field = 0.65 * smooth_noise(rng, height, width, coarse) + 0.35 * smooth_noise(rng, height, width, fine)
    contrasted: Field = np.clip((field - 0.5) * np.float32(1.8) + 0.5, 0, 1)
    return contrasted


def gradient(rng: np.random.Generator, height: int, width: int, unit: float) -> Field:
    """A change from one colour to the other across the field."""
    along, _ = _turned(rng, height, width)
    lowest, highest = along.min(), along.max()
    field: Field = (along - lowest) / max(highest - lowest, np.float32(1e-6))
    return field


TEXTURES: tuple[Texture, ...] = (stripes, checker, dots, noise, gradient)


def smooth_noise(rng: np.random.Generator, height: int, width: int, grain: float) -> Field:
    """Return random numbers on a grid of `grain` pixels, smoothed up to the full size."""
    rows, columns = (max(2, round(extent / grain) + 1) for extent in (height, width))
    grid = PIL.Image.fromarray(rng.random((rows, columns), dtype=np.float32))
    grown = grid.resize((width, height), PIL.Image.Resampling.BICUBIC)
    field: Field = np.clip(np.asarray(grown), 0, 1)
    return field


def any_texture(rng: np.random.Generator, height: int, width: int, unit: float) -> Field:
    """Return a field of a texture taken at random."""
    return TEXTURES[rng.integers(len(TEXTURES))](rng, height, width, unit)


def coloured(field: Field, first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the picture of a field between two RGB colours, shape (height, width, 3)."""
    picture: NDArray[np.float32] = first + field[:, :, None] * (second - first)
    return picture
