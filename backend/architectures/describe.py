"""Parameters and multiply-accumulate operations (MACs) of a detector or classifier, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping

from backend.architectures import heads
from backend.architectures.description import Description, Stage
from backend.architectures.heads import Side
from backend.architectures.plan import BackbonePlan, ConvolutionPlan, backbone_plan
from backend.architectures.widths import resolved_widths

SIZE_DIVISOR = 32
"""torchvision's detectors pad a batch to a multiple of this."""
NORM_PARAMETERS = {"frozen_batch": 0, "batch": 2, "sync_batch": 2, "group": 2}
"""Parameters per channel: a frozen batch norm holds constants only."""


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

    The image size is in pixels, as it enters the network; a detector pads it to a multiple of 32. A box head is
    counted at 1000 proposals, a mask head at 100 detections: what torchvision gives them at most in evaluation.
    Raises ValueError for an unknown architecture, backbone, norm or group.
    """
    if norm not in NORM_PARAMETERS:
        raise ValueError(f"there is no norm '{norm}'; take one of {', '.join(NORM_PARAMETERS)}")
    resolved = resolved_widths(architecture, backbone, widths)
    plan = backbone_plan(backbone, stride_in_1x1, widths)
    channels = [stage.outputs for stage in plan.stages]
    if architecture == "classifier":
        body, _ = _backbone_stages(plan, norm, (image_height, image_width))
        return Description((*body, heads.fully_connected("fc", (channels[-1], classes))))
    body, sides = _backbone_stages(plan, norm, (_padded(image_height), _padded(image_width)))
    if architecture == "retinanet":
        return Description((*body, *_retinanet(channels, sides, resolved, classes)))
    return Description((*body, *_two_stage(channels, sides, resolved, classes)))


def _two_stage(
    channels: list[int], sides: list[Side], widths: Mapping[str, int], classes: int
) -> list[Stage]:
    fpn = widths["fpn"]
    # The fifth level takes every second row and column of the fourth.
    stages = [
        heads.fpn(channels, sides, fpn),
        heads.rpn(fpn, [*sides, *heads.coarser(sides[-1], 1)]),
        heads.box_head(fpn, widths["box_head"], classes),
    ]
    if "mask_head" in widths:
        stages.append(heads.mask_head(fpn, widths["mask_head"], classes))
    return stages


def _retinanet(
    channels: list[int], sides: list[Side], widths: Mapping[str, int], classes: int
) -> list[Stage]:
    fpn = widths["fpn"]
    # RetinaNet leaves out the finest level, P2.
    levels = [*sides[1:], *heads.coarser(sides[-1], 2)]
    return [
        heads.retina_fpn(channels[1:], sides[1:], fpn),
        heads.retina_head(fpn, widths["retina_head"], classes, levels),
    ]


def _padded(side: int) -> int:
    return -(-side // SIZE_DIVISOR) * SIZE_DIVISOR


class _Tally:
    """Adds up one stage while the size of the map is followed through it."""

    def __init__(self, name: str, norm: str) -> None:
        self.name, self.norm = name, NORM_PARAMETERS[norm]
        self.parameters = self.macs = 0

    def convolution(self, plan: ConvolutionPlan, side: Side) -> Side:
        """Add a convolution with its norm; return the size of its output."""
        height, width = plan.output_side(side[0]), plan.output_side(side[1])
        self.parameters += plan.weights + self.norm * plan.outputs
        self.macs += plan.weights * height * width
        return height, width

    def stage(self) -> Stage:
        return Stage(self.name, self.parameters, self.macs)


def _backbone_stages(plan: BackbonePlan, norm: str, side: Side) -> tuple[list[Stage], list[Side]]:
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
