"""torchvision's own RetinaNet with a feature pyramid (Lin, Goyal, Girshick, He, Dollár 2017)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.ops import Conv2dNormActivation

from worker.training.detectors.image_size import anchor_side, aspect_ratios, resizing

STRIDES = (8, 16, 32, 64, 128)
"""Of the levels P3 … P7, in pixels."""
MIN_STRIDES, MAX_STRIDES = 2.0, 4.0
"""The smallest anchor's side in strides of its level."""
OCTAVE = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))
"""Sides of the anchors of a level, relative to the smallest."""
WEIGHT_DEVIATION, STANDARD_WIDTH = 0.01, 256
"""Of the subnets' random weights, and the number of channels that it is meant for."""


def retinanet(backbone: nn.Module, widths: dict[str, int], classes: int, image_size: int) -> nn.Module:
    """Return RetinaNet for `classes` categories on a pyramid, its subnets drawn from the global generator.

    As in torchvision, a logit is there for the background, which never is a target's label.
    """
    anchors = AnchorGenerator(anchor_sizes(image_size), aspect_ratios(STRIDES))
    anchors_here = anchors.num_anchors_per_location()[0]
    model: nn.Module = RetinaNet(
        backbone,
        num_classes=classes + 1,
        anchor_generator=anchors,
        head=Subnets(widths["fpn"], widths["retina_head"], anchors_here, classes + 1),
        **resizing(image_size),
    )
    return model


class Subnets(RetinaNetHead):  # type: ignore[misc]
    """torchvision's head, with a width of its own, and its losses called as every other detector's.

    Its random weights have a deviation of 0.01 where 256 channels enter, as torchvision's, and one that grows with
    the root of how many fewer do: else a subnet of 64 channels would shrink its input 16 times more than one of 256,
    and little would be learnt through it.
    """

    def __init__(self, inputs: int, width: int, anchors: int, classes: int) -> None:
        super().__init__(width, anchors, classes)
        for subnet in (self.classification_head, self.regression_head):
            subnet.conv[0] = _first_convolution(inputs, width)
            for layer in subnet.modules():
                if isinstance(layer, nn.Conv2d):
                    layer.weight.data.mul_(math.sqrt(STANDARD_WIDTH / layer.in_channels))

    def compute_loss(
        self,
        targets: list[dict[str, Tensor]],
        head_outputs: dict[str, Tensor],
        anchors: list[Tensor],
        matched_idxs: list[Tensor],
    ) -> dict[str, Tensor]:
        """Return `loss_classification` and `loss_bbox_regression`."""
        losses = super().compute_loss(targets, head_outputs, anchors, matched_idxs)
        return {f"loss_{name}": loss for name, loss in losses.items()}


def anchor_sizes(image_size: int) -> Sequence[tuple[int, ...]]:
    """Return the anchors' three sides per level P3 … P7, in pixels of the resized image.

    torchvision's 32, 40, 50 … 512, 645, 812 start at four strides of their level; small images start at down to
    two, which is where the best anchor overlaps most: at two strides it overlaps all of the generated shapes at
    128 pixels by half (at one 65 %, at four 98 %), and of the nuclei at 256 pixels 71 % (at one 49 %, at four 34 %).
    """
    smallest = anchor_side(MAX_STRIDES, MIN_STRIDES, image_size)
    return tuple(tuple(int(smallest * stride * side) for side in OCTAVE) for stride in STRIDES)


def _first_convolution(inputs: int, width: int) -> nn.Module:
    """Return what torchvision's subnets begin with, for a pyramid of another width than theirs."""
    layer: nn.Module = Conv2dNormActivation(inputs, width, norm_layer=None)
    nn.init.normal_(layer.get_parameter("0.weight"), std=WEIGHT_DEVIATION)
    nn.init.zeros_(layer.get_parameter("0.bias"))
    return layer
