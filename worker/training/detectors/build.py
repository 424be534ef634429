"""Which parts a specified model is put together from, and which generator draws the weights of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7

from backend.architectures.plan import BackbonePlan, backbone_plan
from backend.architectures.widths import resolved_widths
from backend.errors import InvalidInput
from backend.runs.specification import ModelSpecification
from worker.training.backbones import Classifier, ResNet, he_initialise
from worker.training.detectors.faster_rcnn import faster_rcnn
from worker.training.detectors.mask_rcnn import mask_rcnn
from worker.training.detectors.pyramid import pyramid
from worker.training.detectors.retinanet import retinanet

STREAMS = 3
BODY_STREAM, FPN_STREAM, HEADS_STREAM = range(STREAMS)
"""Generators that one seed gives, one to each part of a model."""

HEADS: dict[str, Callable[[nn.Module, dict[str, int], int, int], nn.Module]] = {
    "faster_rcnn": faster_rcnn,
    "mask_rcnn": mask_rcnn,
    "retinanet": retinanet,
}
"""What builds a detector on a feature pyramid, from the widths, the number of categories and the image size."""


def build_model(model: ModelSpecification, classes: int, image_size: int, seed: int = 0) -> nn.Module:
    """Build the network on the CPU with random weights, in training mode.

    `classes` counts the categories; a detector adds the background. `image_size` is the shorter side in pixels.
    The backbone, the FPN and the heads are drawn from generators of their own, all made from `seed`, and the
    global one is left as it was: runs that differ in their backbone share the weights of their heads, and Mask
    R-CNN those that Faster R-CNN has too. Raises `InvalidInput` for an unknown width group.
    """
    try:
        widths = resolved_widths(model.architecture, model.backbone, model.widths)
    except ValueError as error:
        raise InvalidInput(f"model.widths: {error}") from None
    plan = backbone_plan(model.backbone, model.stride_in_1x1, model.widths)
    if model.architecture == "classifier":
        return _classifier(plan, model.norm, classes, seed)
    with _seeded(seed, BODY_STREAM):
        body = ResNet(plan, model.norm)
        he_initialise(body)
    with _seeded(seed, FPN_STREAM):
        backbone = _pyramid(model.architecture, body, plan, widths["fpn"])
    with _seeded(seed, HEADS_STREAM):
        return HEADS[model.architecture](backbone, widths, classes, image_size)


def _classifier(plan: BackbonePlan, norm: str, classes: int, seed: int) -> Classifier:
    with _seeded(seed, BODY_STREAM):
        model = Classifier(plan, norm, classes)
        he_initialise(model)
    with _seeded(seed, HEADS_STREAM):
        model.fc.reset_parameters()
    return model


def _pyramid(architecture: str, body: ResNet, plan: BackbonePlan, width: int) -> nn.Module:
    if architecture == "retinanet":
        # P2 would hold three quarters of all anchors (Lin, Goyal et al. 2017, section 4).
        return pyramid(body, plan.stages[1:], width, LastLevelP6P7(width, width))
    return pyramid(body, plan.stages, width, LastLevelMaxPool())


@contextmanager
def _seeded(seed: int, stream: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(STREAMS * seed + stream)
        yield
