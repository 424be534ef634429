"""torchvision's own Mask R-CNN with a feature pyramid (He, Gkioxari, Dollár, Girshick 2017)."""

from __future__ import annotations

from torch import nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import MultiScaleRoIAlign

from worker.training.detectors.faster_rcnn import POOLED_LEVELS, SAMPLING_RATIO, two_stage_parts

MASK_POOLED_SIDE = 14
MASK_DEPTH = 4
DILATION = 1


def mask_rcnn(backbone: nn.Module, widths: dict[str, int], classes: int, image_size: int) -> nn.Module:
    """Return Mask R-CNN for `classes` categories on a pyramid, its heads drawn from the global generator.

    The width `mask_head` is that of all four convolutions and of the transposed one. What Faster R-CNN has too is
    drawn first.
    """
    common = two_stage_parts(widths, classes, image_size)
    width = widths["mask_head"]
    model: nn.Module = MaskRCNN(
        backbone,
        **common,
        mask_roi_pool=MultiScaleRoIAlign(list(POOLED_LEVELS), MASK_POOLED_SIDE, SAMPLING_RATIO),
        mask_head=MaskRCNNHeads(widths["fpn"], (width,) * MASK_DEPTH, DILATION),
        mask_predictor=MaskRCNNPredictor(width, width, classes + 1),
    )
    return model
