"""What a classifier sees of an image: a square around an object."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from backend.datasets.annotations import Annotation

CONTEXT = 1.2
"""Side of a crop, relative to the longer side of its box: a classifier sees a little of what lies around."""


class Window(NamedTuple):
    """A square part of an image, in whole pixels."""

    left: int
    top: int
    side: int


def square_around(annotation: Annotation, height: int, width: int) -> Window:
    """Return the window around an object in an image of that size, moved inside where it would leave it.

    It is square whatever the image: an object longer than the image's shorter side is seen in its middle part, never
    squashed. So a box of the whole image, as image folders give, is the centre crop on which ImageNet's networks
    are judged (Krizhevsky, Sutskever, Hinton 2012), and what lies beyond it is not seen.
    """
    left, top, box_width, box_height = annotation.bbox
    side = max(1, min(round(CONTEXT * max(box_width, box_height)), height, width))
    return Window(_start(left + box_width / 2, side, width), _start(top + box_height / 2, side, height), side)


def window_within(window: Window, scale: float, place: tuple[float, float]) -> Window:
    """Return the window of `scale` (0 … 1) times the side, `place` of the way from the left and top of its room.

    This is the scale jitter of a classifier, close to Inception's random crops (Szegedy et al. 2015, §6).
    """
    side = max(1, round(window.side * scale))
    room = window.side - side
    return Window(window.left + round(room * place[0]), window.top + round(room * place[1]), side)


def cut(image: Tensor, window: Window, size: int) -> Tensor:
    """Return a window of an image, uint8 (3, H, W), resized to (3, size, size) with antialiasing."""
    left, top, side = window
    part = image[None, :, top : top + side, left : left + side].float()
    shown = functional.interpolate(part, size=(size, size), mode="bilinear", antialias=True)
    return shown[0].round().clamp(0, 255).to(torch.uint8)


def _start(centre: float, side: int, limit: int) -> int:
    return min(max(0, round(centre - side / 2)), limit - side)
