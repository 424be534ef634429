"""Outlines of the generated classes and of the distractors that belong to none, as polygons around the origin."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import PIL.Image
import PIL.ImageDraw
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""Shape (corners, 2): x, y in units of the object's radius."""

SUPERSAMPLING = 4
"""Subpixels per pixel and axis when an outline is filled."""


class Outline(NamedTuple):
    """A filled polygon and perhaps a hole in it."""

    outer: Points
    hole: Points | None = None


def _polygon(corners: int, turn: float = 0.0) -> Points:
    angles = turn + 2 * np.pi * np.arange(corners) / corners
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _star(points: int, inner: float) -> Points:
    corners = _polygon(2 * points)
    corners[1::2] *= inner
    return corners


def circle(rng: np.random.Generator) -> Outline:
    """A disc."""
    return Outline(_polygon(48))


def triangle(rng: np.random.Generator) -> Outline:
    """A triangle, nearly equilateral."""
    return Outline(_polygon(3) * 1.15 + rng.uniform(-0.1, 0.1, (3, 2)))


def square(rng: np.random.Generator) -> Outline:
    """A square."""
    return Outline(_polygon(4, np.pi / 4) * 1.1)


def star(rng: np.random.Generator) -> Outline:
    """A star of five points."""
    return Outline(_star(5, rng.uniform(0.38, 0.5)) * 1.15)


def ring(rng: np.random.Generator) -> Outline:
    """A disc with a round hole."""
    return Outline(_polygon(48), _polygon(32) * rng.uniform(0.45, 0.62))


def cross(rng: np.random.Generator) -> Outline:
    """A plus sign."""
    a = rng.uniform(0.26, 0.38)
    quarter = np.array([[1, -a], [1, a], [a, a]])
    turns = [np.array([[c, -s], [s, c]]) for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))]
    return Outline(np.concatenate([quarter @ turn.T for turn in turns]) * 1.1)


def blob(rng: np.random.Generator) -> Outline:
    """A distractor: a smooth, clearly irregular closed curve."""
    angles = 2 * np.pi * np.arange(40) / 40
    radius = np.full(40, 0.75)
    for harmonic in (2, 3, 4):
        radius += rng.uniform(0.1, 0.24) * np.cos(harmonic * angles + rng.uniform(0, 2 * np.pi))
    return Outline(np.maximum(radius, 0.15)[:, None] * _polygon(40))


def bar(rng: np.random.Generator) -> Outline:
    """A distractor: a long thin rectangle."""
    return Outline(_polygon(4, np.pi / 4) * 1.5 * np.array([1.0, rng.uniform(0.1, 0.25)]))


def half_disc(rng: np.random.Generator) -> Outline:
    """A distractor: a disc cut through its middle."""
    angles = np.linspace(0, np.pi, 24)
    return Outline(np.stack([np.cos(angles), np.sin(angles) - 0.4], axis=1))


def corner(rng: np.random.Generator) -> Outline:
    """A distractor: the letter L."""
    a = rng.uniform(0.35, 0.6)
    return Outline(np.array([[-1, -1], [1, -1], [1, a - 1], [a - 1, a - 1], [a - 1, 1], [-1, 1]]) * 0.8)


CLASSES: dict[str, Callable[[np.random.Generator], Outline]] = {
    "circle": circle,
    "cross": cross,
    "ring": ring,
    "square": square,
    "star": star,
    "triangle": triangle,
}
"""Name -> outline; entry k is category k+1."""

DISTRACTORS: tuple[Callable[[np.random.Generator], Outline], ...] = (blob, blob, bar, half_disc, corner)


def placed(outline: Outline, radius: float, stretch: float, angle: float) -> Outline:
    """Return the outline in pixels: stretched along x by `stretch` (area kept), then turned by `angle` radians."""
    c, s = np.cos(angle), np.sin(angle)
    matrix = radius * np.array([[c, -s], [s, c]]) @ np.diag([np.sqrt(stretch), 1 / np.sqrt(stretch)])
    hole = outline.hole @ matrix.T if outline.hole is not None else None
    return Outline(outline.outer @ matrix.T, hole)


def coverage(outline: Outline, centre: tuple[float, float]) -> tuple[NDArray[np.float32], int, int]:
    """Return how far each pixel is covered, shape (height, width), 0..1, and the patch's left and top pixel.

    `centre` is in pixels of the image; the patch just holds the outline and may reach beyond the image.
    """
    corners = outline.outer + np.asarray(centre)
    left, top = (int(v) for v in np.floor(corners.min(axis=0)))
    right, bottom = (int(v) for v in np.ceil(corners.max(axis=0)))
    width, height = right - left, bottom - top
    canvas = PIL.Image.new("L", (width * SUPERSAMPLING, height * SUPERSAMPLING))
    draw = PIL.ImageDraw.Draw(canvas)
    for points, fill in ((outline.outer, 255), (outline.hole, 0)):
        if points is not None:
            shifted = (points + np.asarray(centre) - (left, top)) * SUPERSAMPLING - 0.5
            draw.polygon(shifted.ravel().tolist(), fill=fill)
    small = canvas.resize((width, height), PIL.Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32) / np.float32(255), left, top
