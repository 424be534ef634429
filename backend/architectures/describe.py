"""Parameters and multiply-accumulate operations (MACs) of a detector or classifier, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from backend.architectures import heads
from backend.architectures.body import NORM_PARAMETERS, body
from backend.architectures.description import Description, Stage
from backend.architectures.plan import backbone_plan
from backend.architectures.terms import Sizes, Term
from backend.architectures.widths import resolved_widths, standard_widths

SIZE_DIVISOR = 32
"""torchvision's detectors pad a batch to a multiple of this."""


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
    resolved = resolved_widths(architecture, backbone, widths)
    network = sizes(architecture, backbone, norm, stride_in_1x1, classes, image_height, image_width)
    given = np.array([[resolved[group] for group in network.groups]], np.int64)
    (parameters,), (macs,) = network.parameters(given), network.macs(given)
    stages: dict[str, tuple[int, int]] = {}
    for term, weights, operations in zip(network.terms, parameters.tolist(), macs.tolist(), strict=True):
        before = stages.get(term.stage, (0, 0))
        stages[term.stage] = (before[0] + weights, before[1] + operations)
    return Description(tuple(Stage(name, *numbers) for name, numbers in stages.items()))


@lru_cache(maxsize=64)
def sizes(
    architecture: str,
    backbone: str,
    norm: str,
    stride_in_1x1: bool,
    classes: int,
    image_height: int,
    image_width: int,
) -> Sizes:
    """Return the same as a function of the widths, whose groups are those of `standard_widths` in their order.

    Raises ValueError for an unknown architecture, backbone or norm.
    """
    if norm not in NORM_PARAMETERS:
        raise ValueError(f"there is no norm '{norm}'; take one of {', '.join(NORM_PARAMETERS)}")
    groups = tuple(standard_widths(architecture, backbone))
    plan = backbone_plan(backbone, stride_in_1x1)
    stages = [stage.name for stage in plan.stages]
    if architecture == "classifier":
        terms, _ = body(plan, norm, (image_height, image_width))
        return Sizes(groups, (*terms, *heads.classifier(stages[-1], classes)))
    terms, sides = body(plan, norm, (_padded(image_height), _padded(image_width)))
    if architecture == "retinanet":
        return Sizes(groups, (*terms, *_retinanet(stages, sides, classes)))
    return Sizes(groups, (*terms, *_two_stage(stages, sides, classes, "mask_head" in groups)))


def _two_stage(stages: list[str], sides: list[heads.Side], classes: int, masks: bool) -> list[Term]:
    # The fifth level takes every second row and column of the fourth.
    levels = [*sides, *heads.coarser(sides[-1], 1)]
    found = [*heads.fpn(stages, sides), *heads.rpn(levels), *heads.box_head(classes)]
    return [*found, *heads.mask_head(classes)] if masks else found


def _retinanet(stages: list[str], sides: list[heads.Side], classes: int) -> list[Term]:
    # RetinaNet leaves out the finest level, P2.
    levels = [*sides[1:], *heads.coarser(sides[-1], 2)]
    pyramid = [*heads.fpn(stages[1:], sides[1:]), *heads.extra_levels(sides[-1])]
    return [*pyramid, *heads.retina_head(classes, levels)]


def _padded(side: int) -> int:
    return -(-side // SIZE_DIVISOR) * SIZE_DIVISOR
