"""Parameters and multiply-accumulate operations (MACs) of a detector or classifier, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from backend.architectures.plan import BackbonePlan, ConvolutionPlan, backbone_plan
from backend.architectures.widths import resolved_widths

SIZE_DIVISOR = 32
"""torchvision's detectors pad a batch to a multiple of this."""
ANCHORS_PER_LOCATION = 3
PROPOSALS = 1000
"""Proposals per image in evaluation (torchvision's `rpn_post_nms_top_n_test`)."""
POOLED_SIDE = 7
BOX_COORDINATES = 4

NORM_PARAMETERS = {"frozen_batch": 0, "batch": 2, "group": 2}
"""Parameters per channel: a frozen batch norm holds constants only."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the network; `macs` are those of one image."""

    name: str
    parameters: int
    macs: int


@dataclass(frozen=True, slots=True)
class Description:
    """Sizes of a network.

    `parameters` counts trained and frozen parameters, not the constants of a norm; `backbone_parameters` is
    its part in stem and layer1 … layer4. `macs` counts convolutions and fully connected layers for one image.
    """

    stages: tuple[Stage, ...]

    @property
    def parameters(self) -> int:
        """Of the whole network."""
        return sum(stage.parameters for stage in self.stages)

    @property
    def backbone_parameters(self) -> int:
        """Of stem and layer1 … layer4."""
        return sum(s.parameters for s in self.stages if s.name == "stem" or s.name.startswith("layer"))

    @property
    def macs(self) -> int:
        """Of the whole network, for one image."""
        return sum(stage.macs for stage in self.stages)


def describe(
    architecture: str,
    backbone: str,
    norm: str,
    stride_in_1x1: bool,
    widths: Mapping[str, int] | None,
    classes: int,
    image_height: int,
    image_width: int,
) -> Description:
    """Describe a network for `classes` categories (a detector adds the background itself) and one image.

    The image size is in pixels, as it enters the network; a detector pads it to a multiple of 32. Its box
    head is counted at 1000 proposals. Raises ValueError for an unknown architecture, backbone, norm or group.
    """
    if norm not in NORM_PARAMETERS:
        raise ValueError(f"there is no norm '{norm}'; take one of {', '.join(NORM_PARAMETERS)}")
    resolved = resolved_widths(architecture, backbone, widths)
    plan = backbone_plan(backbone, stride_in_1x1, widths)
    if architecture == "classifier":
        stages, _ = _backbone_stages(plan, norm, (image_height, image_width))
        return Description((*stages, _fully_connected("fc", (plan.stages[-1].outputs, classes))))
    stages, sides = _backbone_stages(plan, norm, (_padded(image_height), _padded(image_width)))
    fpn, head = resolved["fpn"], resolved["box_head"]
    return Description((*stages, _fpn(plan, fpn, sides), _rpn(fpn, sides), _box_head(fpn, head, classes)))


def _padded(side: int) -> int:
    return -(-side // SIZE_DIVISOR) * SIZE_DIVISOR


class _Tally:
    """Adds up one stage while the size of the map is followed through it."""

    def __init__(self, name: str, norm: str) -> None:
        self.name, self.norm = name, NORM_PARAMETERS[norm]
        self.parameters = self.macs = 0

    def convolution(self, plan: ConvolutionPlan, side: tuple[int, int]) -> tuple[int, int]:
        """Add a convolution with its norm; return the size of its output."""
        height, width = plan.output_side(side[0]), plan.output_side(side[1])
        self.parameters += plan.weights + self.norm * plan.outputs
        self.macs += plan.weights * height * width
        return height, width

    def stage(self) -> Stage:
        return Stage(self.name, self.parameters, self.macs)


def _backbone_stages(
    plan: BackbonePlan, norm: str, side: tuple[int, int]
) -> tuple[list[Stage], list[tuple[int, int]]]:
    """Return the backbone's stages, and the size of each of layer1 … layer4's outputs."""
    stem = _Tally("stem", norm)
    side = stem.convolution(plan.stem, side)
    side = (-(-side[0] // 2), -(-side[1] // 2))  # the 3x3 max pooling of stride 2 rounds up
    stages, sides = [stem.stage()], []
    for stage in plan.stages:
        tally = _Tally(stage.name, norm)
        for block in stage.blocks:
            if block.downsample:
                tally.convolution(block.downsample, side)
            for convolution in block.convolutions:
                side = tally.convolution(convolution, side)
        stages.append(tally.stage())
        sides.append(side)
    return stages, sides


def _fpn(plan: BackbonePlan, width: int, sides: list[tuple[int, int]]) -> Stage:
    parameters = macs = 0
    for stage, (height, side_width) in zip(plan.stages, sides, strict=True):
        weights = stage.outputs * width + 9 * width * width
        parameters += weights + 2 * width
        macs += weights * height * side_width
    return Stage("fpn", parameters, macs)


def _rpn(width: int, sides: list[tuple[int, int]]) -> Stage:
    outputs = ANCHORS_PER_LOCATION * (1 + BOX_COORDINATES)
    weights = 9 * width * width + width * outputs
    # The fifth level takes every second row and column of the fourth.
    top = (-(-sides[-1][0] // 2), -(-sides[-1][1] // 2))
    positions = sum(height * side_width for height, side_width in (*sides, top))
    return Stage("rpn", weights + width + outputs, weights * positions)


def _box_head(fpn: int, width: int, classes: int) -> Stage:
    outputs = (classes + 1) * (1 + BOX_COORDINATES)
    head = _fully_connected("box_head", (fpn * POOLED_SIDE**2, width, width, outputs))
    return Stage(head.name, head.parameters, PROPOSALS * head.macs)


def _fully_connected(name: str, widths: tuple[int, ...]) -> Stage:
    """Return fully connected layers with biases, for one input row."""
    pairs = list(pairwise(widths))
    weights = sum(inputs * outputs for inputs, outputs in pairs)
    return Stage(name, weights + sum(outputs for _, outputs in pairs), weights)
