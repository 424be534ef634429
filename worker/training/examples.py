"""An example, and the ways in which training shows it: mirrored, larger or smaller."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as transforms


class Example(NamedTuple):
    """An image, uint8 (3, H, W), and its target.

    A detector's target holds `boxes` (N, 4), float32 x0, y0, x1, y1 in pixels, `labels` (N,) from 1 and, where
    masks are learnt, `masks` (N, H, W), uint8 zeros and ones; a classifier's holds `label` () from 0.
    """

    image: Tensor
    target: dict[str, Tensor]


class View(NamedTuple):
    """How an example is shown; by default as it is."""

    flip: bool = False
    """Whether it is mirrored left to right."""
    side: int | None = None
    """Scale jitter: the shorter side of a detector's image in pixels, or the scale of a classifier's crop."""
    place: tuple[float, float] = (0.5, 0.5)
    """Where within the whole window a classifier's smaller window lies, from left and top, each 0 … 1."""


AS_IT_IS = View()


def mirrored(example: Example) -> Example:
    """Return an example mirrored left to right; what it holds of positions moves along."""
    width, target = example.image.shape[-1], dict(example.target)
    if "boxes" in target:
        x0, y0, x1, y1 = target["boxes"].unbind(1)
        target["boxes"] = torch.stack([width - x1, y0, width - x0, y1], dim=1)
    if "masks" in target:
        target["masks"] = target["masks"].flip(-1)
    return Example(example.image.flip(-1), target)


def resized(example: Example, shorter: int, longest: int) -> Example:
    """Return an example whose shorter side is `shorter` pixels, or less where the longer would exceed `longest`.

    As torchvision's detectors do where they resize an image themselves, which is how every image is judged: bilinear
    without antialiasing, masks by the nearest pixel, sides rounded down. The image is uint8 again, to one grey level.
    """
    height, width = example.image.shape[-2:]
    scale = min(shorter / min(height, width), longest / max(height, width))
    size = [int(height * scale), int(width * scale)]
    target = dict(example.target)
    if "boxes" in target:
        target["boxes"] = target["boxes"] * torch.tensor([size[1] / width, size[0] / height]).repeat(2)
    if "masks" in target:
        target["masks"] = transforms.resize_mask(target["masks"], size)
    return Example(transforms.resize(example.image, size, antialias=False), target)
