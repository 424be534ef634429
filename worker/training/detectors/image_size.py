"""What of a detector depends on the size of its images: torchvision's numbers, meant for a shorter side of 800."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backend.runs.specification import longest_side
from worker.training.backbones import IMAGE_DEVIATION, IMAGE_MEAN

REFERENCE_SIZE = 800
MIN_PER_IMAGE = 64
"""Least number of proposals or box samples of a training image."""
ASPECT_RATIOS = (0.5, 1.0, 2.0)
"""Of anchors: height to width."""


def resizing(image_size: int) -> dict[str, Any]:
    """Return torchvision's options for how images enter a detector: their sides and how they are normalised."""
    return {
        "min_size": image_size,
        "max_size": longest_side(image_size),
        "image_mean": list(IMAGE_MEAN),
        "image_std": list(IMAGE_DEVIATION),
    }


def per_image(count: int, image_size: int) -> int:
    """Return how many proposals or box samples a training image gets: `count` at 800 pixels and above.

    Below, as many fewer as the side is shorter, but at least 64: a small image holds few distinct boxes, and the
    box head over 512 samples an image takes three quarters of an iteration at 128 pixels on a CPU.
    """
    return min(count, max(MIN_PER_IMAGE, round(count * image_size / REFERENCE_SIZE)))


def anchor_side(strides: float, least: float, image_size: int) -> float:
    """Return an anchor's side in strides of its level: `strides` at 800 pixels and above, down to `least` below.

    Larger images keep torchvision's anchors, since they are made large for their small objects. Smaller images
    shrink objects, so anchors shrink with them, until they would stand too far apart for their size.
    """
    return min(strides, max(least, strides * image_size / REFERENCE_SIZE))


def aspect_ratios(levels: Sequence[object]) -> tuple[tuple[float, ...], ...]:
    """Return the shapes of the anchors of each level, which are the same on all."""
    return (ASPECT_RATIOS,) * len(levels)
