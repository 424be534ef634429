"""The layers of what torchvision's detectors build on a residual network: FPN, RPN and heads.

All of these convolutions and fully connected layers have biases, and none a norm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backend.architectures.terms import Term

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


def fpn(stages: Sequence[str], sides: Sequence[Side]) -> Iterator[Term]:
    """Yield a feature pyramid over the outputs of these stages, of these sizes (Lin et al. 2017)."""
    for stage, side in zip(stages, sides, strict=True):
        yield _biased("fpn", stage, "fpn", 1, positions([side]))
        yield _biased("fpn", "fpn", "fpn", 9, positions([side]))


def extra_levels(side: Side) -> Iterator[Term]:
    """Yield RetinaNet's levels P6 and P7 over the FPN's coarsest, each a convolution of stride 2 over the last."""
    for level in coarser(side, 2):
        yield _biased("fpn", "fpn", "fpn", 9, positions([level]))


def coarser(side: Side, levels: int) -> list[Side]:
    """Return the sizes of so many further levels, each of half the sides of the one before, rounded up."""
    found = []
    for _ in range(levels):
        side = (-(-side[0] // 2), -(-side[1] // 2))
        found.append(side)
    return found


def rpn(sides: Sequence[Side]) -> Iterator[Term]:
    """Yield the region proposal network on these levels (Ren et al. 2015)."""
    yield _biased("rpn", "fpn", "fpn", 9, positions(sides))
    yield _predictor("rpn", "fpn", 1, RPN_ANCHORS * (1 + BOX_COORDINATES), positions(sides))


def box_head(classes: int) -> Iterator[Term]:
    """Yield the box head, two fully connected layers and the predictors, at 1000 proposals an image."""
    yield _biased("box_head", "fpn", "box_head", BOX_POOLED_SIDE**2, PROPOSALS)
    yield _biased("box_head", "box_head", "box_head", 1, PROPOSALS)
    yield _predictor("box_head", "box_head", 1, (classes + 1) * (1 + BOX_COORDINATES), PROPOSALS)


def mask_head(classes: int) -> Iterator[Term]:
    """Yield the mask head with its predictor (He et al. 2017), at 100 detections an image."""
    pooled = DETECTIONS * MASK_POOLED_SIDE**2
    for number in range(SUBNET_DEPTH):
        yield _biased("mask_head", "mask_head" if number else "fpn", "mask_head", 9, pooled)
    # The transposed convolution of stride 2 makes four positions of one, each from one; the logits see all of those.
    yield _biased("mask_head", "mask_head", "mask_head", 4, pooled)
    yield _predictor("mask_head", "mask_head", 1, classes + 1, 4 * pooled)


def retina_head(classes: int, sides: Sequence[Side]) -> Iterator[Term]:
    """Yield RetinaNet's two subnets with their predictors on these levels (Lin, Goyal et al. 2017).

    As in torchvision, a logit for the background is counted among the classes.
    """
    for outputs in (classes + 1, BOX_COORDINATES):
        for number in range(SUBNET_DEPTH):
            inputs = "retina_head" if number else "fpn"
            yield _biased("retina_head", inputs, "retina_head", 9, positions(sides))
        yield _predictor("retina_head", "retina_head", 9, RETINA_ANCHORS * outputs, positions(sides))


def classifier(stage: str, classes: int) -> Iterator[Term]:
    """Yield a classifier's fully connected layer on a stage's pooled output."""
    yield _predictor("fc", stage, 1, classes, 1)


def positions(sides: Sequence[Side]) -> int:
    """Return the number of positions of maps of these sizes together."""
    return sum(height * width for height, width in sides)


def _biased(stage: str, inputs: str, outputs: str, kernel: int, used: int) -> Term:
    return Term(stage, inputs, outputs, kernel, used, 1)


def _predictor(stage: str, inputs: str, kernel: int, outputs: int, used: int) -> Term:
    """Return a layer with biases whose number of outputs no width group sets."""
    return Term(stage, inputs, None, kernel * outputs, used, outputs)
