"""Parameters and MACs of what torchvision's detectors build on a residual network: FPN, RPN and heads.

All of these convolutions and fully connected layers have biases, and none a norm.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from backend.architectures.description import Stage

Side = tuple[int, int]
"""Height and width of a map."""

RPN_ANCHORS = 3
"""Per position: one size in three shapes."""
RETINA_ANCHORS = 9
"""Per position: three sizes in three shapes."""
BOX_COORDINATES = 4
PROPOSALS = 1000
"""Boxes per image that the box head sees in evaluation: torchvision's `rpn_post_nms_top_n_test`, its most."""
DETECTIONS = 100
"""Boxes per image that the mask head sees in evaluation: torchvision's `box_detections_per_img`, its most."""
BOX_POOLED_SIDE = 7
MASK_POOLED_SIDE = 14
SUBNET_DEPTH = 4
"""Convolutions of the mask head and of each of RetinaNet's subnets."""


def fpn(inputs: Sequence[int], sides: Sequence[Side], width: int) -> Stage:
    """Describe a feature pyramid over maps of these channels and sizes (Lin et al. 2017)."""
    parameters = macs = 0
    for channels, side in zip(inputs, sides, strict=True):
        weights = channels * width + 9 * width * width
        parameters += weights + 2 * width
        macs += weights * _positions([side])
    return Stage("fpn", parameters, macs)


def retina_fpn(inputs: Sequence[int], sides: Sequence[Side], width: int) -> Stage:
    """Describe the same with RetinaNet's levels P6 and P7, each a convolution of stride 2 over the one before."""
    pyramid = fpn(inputs, sides, width)
    weights = 9 * width * width
    extra = coarser(sides[-1], 2)
    return Stage(
        "fpn", pyramid.parameters + 2 * (weights + width), pyramid.macs + weights * _positions(extra)
    )


def coarser(side: Side, levels: int) -> list[Side]:
    """Return the sizes of so many further levels, each of half the sides of the one before, rounded up."""
    found = []
    for _ in range(levels):
        side = (-(-side[0] // 2), -(-side[1] // 2))
        found.append(side)
    return found


def rpn(width: int, sides: Sequence[Side]) -> Stage:
    """Describe the region proposal network on these levels (Ren et al. 2015)."""
    outputs = RPN_ANCHORS * (1 + BOX_COORDINATES)
    weights = 9 * width * width + width * outputs
    return Stage("rpn", weights + width + outputs, weights * _positions(sides))


def box_head(inputs: int, width: int, classes: int) -> Stage:
    """Describe the box head, two fully connected layers and the predictors, at 1000 proposals an image."""
    outputs = (classes + 1) * (1 + BOX_COORDINATES)
    head = fully_connected("box_head", (inputs * BOX_POOLED_SIDE**2, width, width, outputs))
    return Stage(head.name, head.parameters, PROPOSALS * head.macs)


def mask_head(inputs: int, width: int, classes: int) -> Stage:
    """Describe the mask head with its predictor (He et al. 2017), at 100 detections an image."""
    convolutions = [9 * a * b for a, b in pairwise((inputs, *[width] * SUBNET_DEPTH))]
    upsampling, logits = 4 * width * width, width * (classes + 1)
    biases = SUBNET_DEPTH * width + width + classes + 1
    # The transposed convolution of stride 2 makes four positions of one, each from one; the logits see all of those.
    macs = MASK_POOLED_SIDE**2 * (sum(convolutions) + upsampling + 4 * logits)
    return Stage("mask_head", sum(convolutions) + upsampling + logits + biases, DETECTIONS * macs)


def retina_head(inputs: int, width: int, classes: int, sides: Sequence[Side]) -> Stage:
    """Describe RetinaNet's two subnets with their predictors on these levels (Lin, Goyal et al. 2017).

    As in torchvision, a logit for the background is counted among the classes.
    """
    outputs = RETINA_ANCHORS * (classes + 1 + BOX_COORDINATES)
    widths = (inputs, *[width] * SUBNET_DEPTH)
    weights = 2 * sum(9 * a * b for a, b in pairwise(widths)) + 9 * width * outputs
    return Stage("retina_head", weights + 2 * SUBNET_DEPTH * width + outputs, weights * _positions(sides))


def fully_connected(name: str, widths: Sequence[int]) -> Stage:
    """Describe fully connected layers with biases, for one input row."""
    weights = sum(inputs * outputs for inputs, outputs in pairwise(widths))
    return Stage(name, weights + sum(widths[1:]), weights)


def _positions(sides: Sequence[Side]) -> int:
    return sum(height * width for height, width in sides)
