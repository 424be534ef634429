"""From a model specification to a torch module: torchvision's own Faster R-CNN on our backbones, or a classifier."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.ops import MultiScaleRoIAlign

from backend.architectures.plan import BackbonePlan, backbone_plan
from backend.architectures.widths import resolved_widths
from backend.errors import InvalidInput
from backend.runs.specification import ModelSpecification
from worker.training.backbones import IMAGE_DEVIATION, IMAGE_MEAN, Classifier, ResNet, he_initialise

REFERENCE_SIZE = 800
REFERENCE_LONGER_SIDE = 1333
STRIDES = (4, 8, 16, 32, 64)
"""Of the FPN's levels, in pixels."""
MIN_STRIDES, MAX_STRIDES = 4.0, 8.0
"""An anchor's side in strides of its level."""
ASPECT_RATIOS = (0.5, 1.0, 2.0)
PROPOSALS = 2000
BOX_SAMPLES = 512
MIN_PER_IMAGE = 64
"""torchvision's counts per training image at a shorter side of 800, and the least at a smaller one."""
POOLED_SIDE = 7
SAMPLING_RATIO = 2
STREAMS = 3
BODY_STREAM, FPN_STREAM, HEADS_STREAM = range(STREAMS)
"""Generators that one seed gives, one to each part of a model."""
BODY = "backbone.body."
"""Prefix of the residual network's keys in a detector's state dict."""


def build_model(model: ModelSpecification, classes: int, image_size: int, seed: int = 0) -> nn.Module:
    """Build the network on the CPU with random weights, in training mode.

    `classes` counts the categories; a detector adds the background. `image_size` is the shorter side in pixels.
    The backbone, the FPN and the heads are drawn from generators of their own, all made from `seed`, and the
    global one is left as it was: runs that differ in their backbone share the weights of their heads.
    Raises `InvalidInput` for an unknown width group.
    """
    try:
        widths = resolved_widths(model.architecture, model.backbone, model.widths)
    except ValueError as error:
        raise InvalidInput(f"model.widths: {error}") from None
    plan = backbone_plan(model.backbone, model.stride_in_1x1, model.widths)
    with _seeded(seed, BODY_STREAM):
        if model.architecture == "classifier":
            body: ResNet = Classifier(plan, model.norm, classes)
        else:
            body = ResNet(plan, model.norm)
        he_initialise(body)
    if not isinstance(body, Classifier):
        return _faster_rcnn(body, plan, widths, classes, image_size, seed)
    with _seeded(seed, HEADS_STREAM):
        body.fc.reset_parameters()
    return body


def anchor_sizes(image_size: int) -> tuple[float, ...]:
    """Return the anchors' side per FPN level, in pixels of the resized image.

    torchvision's 32 … 512 are eight strides of their level, meant for a shorter side of 800; larger images keep
    them, since they are made large for their small objects. Smaller images shrink objects, so anchors shrink with
    them, down to four strides. Below that, anchors stand too far apart for their size: scaled all the way to 128
    pixels, the best anchor overlaps 35 % of the generated shapes by half, and at four strides 99.9 %. Of the nuclei
    at 256 pixels it is 77 % with 16 … 256, and 35 % with 32 … 512.
    """
    strides = min(MAX_STRIDES, max(MIN_STRIDES, MAX_STRIDES * image_size / REFERENCE_SIZE))
    return tuple(strides * stride for stride in STRIDES)


def per_image(count: int, image_size: int) -> int:
    """Return how many proposals or box samples a training image gets: `count` at 800 pixels and above.

    Below, as many fewer as the side is shorter, but at least 64: a small image holds few distinct boxes, and the
    box head over 512 samples an image takes three quarters of an iteration at 128 pixels on a CPU.
    """
    return min(count, max(MIN_PER_IMAGE, round(count * image_size / REFERENCE_SIZE)))


@contextmanager
def _seeded(seed: int, stream: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(STREAMS * seed + stream)
        yield


def _faster_rcnn(
    body: ResNet, plan: BackbonePlan, widths: dict[str, int], classes: int, image_size: int, seed: int
) -> nn.Module:
    fpn, hidden = widths["fpn"], widths["box_head"]
    with _seeded(seed, FPN_STREAM):
        backbone = BackboneWithFPN(
            body,
            return_layers={stage.name: str(level) for level, stage in enumerate(plan.stages)},
            in_channels_list=[stage.outputs for stage in plan.stages],
            out_channels=fpn,
        )
    with _seeded(seed, HEADS_STREAM):
        model: nn.Module = FasterRCNN(
            backbone,
            min_size=image_size,
            max_size=round(REFERENCE_LONGER_SIDE / REFERENCE_SIZE * image_size),
            image_mean=list(IMAGE_MEAN),
            image_std=list(IMAGE_DEVIATION),
            rpn_pre_nms_top_n_train=per_image(PROPOSALS, image_size),
            rpn_post_nms_top_n_train=per_image(PROPOSALS, image_size),
            box_batch_size_per_image=per_image(BOX_SAMPLES, image_size),
            rpn_anchor_generator=AnchorGenerator(
                tuple((size,) for size in anchor_sizes(image_size)), (ASPECT_RATIOS,) * len(STRIDES)
            ),
            box_roi_pool=MultiScaleRoIAlign(["0", "1", "2", "3"], POOLED_SIDE, SAMPLING_RATIO),
            box_head=TwoMLPHead(fpn * POOLED_SIDE**2, hidden),
            box_predictor=FastRCNNPredictor(hidden, classes + 1),
        )
    return model
