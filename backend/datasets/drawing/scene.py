"""One image of the generated dataset: a cluttered, textured ground with objects and distractors over one another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import PIL.Image
import PIL.ImageDraw
from numpy.typing import NDArray

from backend.datasets.drawing.outlines import CLASSES, DISTRACTORS, Outline, coverage, placed
from backend.datasets.drawing.textures import any_texture, coloured, smooth_noise

Picture = NDArray[np.float32]
"""Shape (size, size, 3), 0..1."""
Colour = NDArray[np.float32]
"""Red, green and blue, 0..1."""
Mask = NDArray[np.bool_]
"""Shape (size, size)."""

REFERENCE = 128
"""Side in pixels for which the lengths below are given; larger images scale them."""
OBJECTS = (3, 5)
"""Fewest and most objects an image."""
DISTRACTORS_AN_IMAGE = (1, 4)
RADII = (12.0, 30.0)
"""Of objects and distractors, in pixels; drawn evenly in the logarithm."""
MIN_VISIBLE = 0.6
"""Share of an object's full area, parts beyond the frame included, that must stay visible."""
MARGIN = 0.1
"""Least distance of a centre from the frame, as a share of the image's side."""
TRIES = 8
"""Places tried for an object before it is given up."""
CANDIDATES = 4
"""Colours drawn for a patch, of which the one farthest from the ground below is taken: edges are to be seen."""
GROUND_CONTRAST = (0.08, 0.25)
"""Distance between a ground texture's two colours, RGB each 0..1."""
PATCH_CONTRAST = (0.1, 0.35)
"""The same of objects and distractors."""
PIXEL_NOISE = 0.03
"""Standard deviation of the sensor's noise."""

OUTLINES = tuple(CLASSES.values())


@dataclass
class Instance:
    """An object in the image; `category` is 1 … number of classes, `mask` its visible pixels, `area` its full one."""

    category: int
    mask: Mask
    area: float


@dataclass
class Patch:
    """A filled outline cut to the frame: coverage 0..1 of the window `rows` x `columns`, and its full area."""

    alpha: NDArray[np.float32]
    rows: slice
    columns: slice
    area: float

    @property
    def solid(self) -> Mask:
        """Pixels that belong to it: covered by at least half."""
        return self.alpha >= 0.5


def draw_scene(rng: np.random.Generator, size: int) -> tuple[NDArray[np.uint8], list[Instance]]:
    """Return an RGB image of shape (size, size, 3) and the objects in it, at least one.

    Colours and textures of classes, distractors and ground come from the same distributions: only an outline
    tells a class. No object is ever covered or cut so far that less than `MIN_VISIBLE` of it remains.
    """
    unit = size / REFERENCE
    picture = _ground(rng, size, unit)
    instances: list[Instance] = []
    objects = int(rng.integers(OBJECTS[0], OBJECTS[1] + 1))
    others = int(rng.integers(DISTRACTORS_AN_IMAGE[0], DISTRACTORS_AN_IMAGE[1] + 1))
    order = np.concatenate([np.ones(objects, dtype=bool), np.zeros(others, dtype=bool)])
    for is_object in rng.permutation(order):
        if is_object:
            _add_object(rng, picture, instances, unit)
        else:
            _add_distractor(rng, picture, instances, unit)
    while not instances:
        _add_object(rng, picture, instances, unit)
    return _exposed(rng, picture), instances


def _ground(rng: np.random.Generator, size: int, unit: float) -> Picture:
    first, second = (
        coloured(any_texture(rng, size, size, scale), *_pair(rng, _colour(rng), GROUND_CONTRAST))
        for scale in (unit * rng.uniform(1, 2), unit)
    )
    border = np.clip((smooth_noise(rng, size, size, 40 * unit) - 0.5) * np.float32(6) + 0.5, 0, 1)
    return _littered(rng, first + border[:, :, None] * (second - first), unit)


def _littered(rng: np.random.Generator, picture: Picture, unit: float) -> Picture:
    """Strew lines, arcs and specks over the ground."""
    size = picture.shape[0]
    image = PIL.Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    draw = PIL.ImageDraw.Draw(image)
    for _ in range(int(rng.integers(2, 7))):
        x, y, dx, dy = rng.uniform(0, size), rng.uniform(0, size), *rng.normal(0, 40 * unit, 2)
        draw.line((x, y, x + dx, y + dy), fill=_ink(rng), width=max(1, round(rng.uniform(1, 3) * unit)))
    for _ in range(int(rng.integers(0, 4))):
        x, y, radius = rng.uniform(0, size), rng.uniform(0, size), rng.uniform(8, 30) * unit
        start = rng.uniform(0, 360)
        box = (x - radius, y - radius, x + radius, y + radius)
        draw.arc(box, start, start + rng.uniform(40, 150), fill=_ink(rng), width=max(1, round(2 * unit)))
    for _ in range(int(rng.integers(5, 16))):
        x, y, radius = rng.uniform(0, size), rng.uniform(0, size), rng.uniform(0.7, 2.5) * unit
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_ink(rng))
    return np.asarray(image, dtype=np.float32) / np.float32(255)


def _add_object(rng: np.random.Generator, picture: Picture, instances: list[Instance], unit: float) -> None:
    category = int(rng.integers(len(OUTLINES)))
    for _ in range(TRIES):
        patch = _patch(rng, OUTLINES[category](rng), picture.shape[0], unit)
        if patch.solid.sum() >= MIN_VISIBLE * patch.area and _leaves_visible(patch, instances):
            _paint(rng, picture, patch, instances, unit)
            mask = np.zeros(picture.shape[:2], dtype=bool)
            mask[patch.rows, patch.columns] = patch.solid
            instances.append(Instance(category + 1, mask, patch.area))
            return


def _add_distractor(
    rng: np.random.Generator, picture: Picture, instances: list[Instance], unit: float
) -> None:
    outline = DISTRACTORS[rng.integers(len(DISTRACTORS))](rng)
    patch = _patch(rng, outline, picture.shape[0], unit)
    if _leaves_visible(patch, instances):
        _paint(rng, picture, patch, instances, unit)


def _patch(rng: np.random.Generator, outline: Outline, size: int, unit: float) -> Patch:
    radius = unit * float(np.exp(rng.uniform(*np.log(RADII))))
    outline = placed(outline, radius, rng.uniform(0.8, 1.25), rng.uniform(0, 2 * np.pi))
    alpha, left, top = coverage(outline, tuple(rng.uniform(MARGIN * size, (1 - MARGIN) * size, 2)))
    rows = slice(max(top, 0), max(min(top + alpha.shape[0], size), 0))
    columns = slice(max(left, 0), max(min(left + alpha.shape[1], size), 0))
    inside = alpha[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    return Patch(inside, rows, columns, float((alpha >= 0.5).sum()))


def _leaves_visible(patch: Patch, instances: list[Instance]) -> bool:
    """Whether every object keeps its least visible share when the patch is laid over it."""
    for instance in instances:
        hidden = (instance.mask[patch.rows, patch.columns] & patch.solid).sum()
        if hidden and instance.mask.sum() - hidden < MIN_VISIBLE * instance.area:
            return False
    return True


def _paint(
    rng: np.random.Generator, picture: Picture, patch: Patch, instances: list[Instance], unit: float
) -> None:
    height, width = patch.alpha.shape
    window = picture[patch.rows, patch.columns]
    below = window[patch.solid].mean(axis=0)
    first = max((_colour(rng) for _ in range(CANDIDATES)), key=lambda c: float(np.linalg.norm(c - below)))
    fill = coloured(any_texture(rng, height, width, unit), *_pair(rng, first, PATCH_CONTRAST))
    window += patch.alpha[:, :, None] * (fill - window)
    for instance in instances:
        instance.mask[patch.rows, patch.columns] &= ~patch.solid


def _exposed(rng: np.random.Generator, picture: Picture) -> NDArray[np.uint8]:
    """Light it unevenly and add the sensor's noise."""
    size = picture.shape[0]
    light = 0.75 + 0.5 * smooth_noise(rng, size, size, size / 2)
    grain = rng.normal(0, PIXEL_NOISE, picture.shape).astype(np.float32)
    return (np.clip(picture * light[:, :, None] + grain, 0, 1) * 255).astype(np.uint8)


def _colour(rng: np.random.Generator) -> Colour:
    return rng.uniform(0.05, 0.95, 3).astype(np.float32)


def _pair(rng: np.random.Generator, first: Colour, contrast: tuple[float, float]) -> tuple[Colour, Colour]:
    """Return `first` and another colour at a distance from it, in a random direction."""
    step = rng.normal(0, 1, 3)
    second = first + step / np.linalg.norm(step) * rng.uniform(*contrast)
    return first, np.clip(second, 0, 1).astype(np.float32)


def _ink(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(v) for v in rng.integers(0, 256, 3))
    return red, green, blue
