"""Parameters and MACs against torch: numel, and its own counter of floating point operations."""

from __future__ import annotations

import random

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from backend.architectures.describe import describe
from backend.architectures.widths import standard_widths
from backend.runs.specification import ModelSpecification
from worker.training.detectors import build_model


def flops(module: nn.Module, *inputs: object) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*inputs)
    return counter.get_total_flops()


def counted_macs(model: nn.Module, height: int, width: int) -> int:
    """MACs of one image, by torch; everything lies on the meta device, where nothing is computed."""
    image = torch.empty(1, 3, height, width, device="meta")
    model = model.to("meta").eval()
    if not hasattr(model, "roi_heads"):
        return flops(model, image) // 2
    total = flops(model.backbone, image)
    with torch.no_grad():
        features = model.backbone(image)
    heads = model.roi_heads
    pooled = torch.empty(1000, model.backbone.out_channels, 7, 7, device="meta")
    hidden = torch.empty(1000, heads.box_head.fc7.out_features, device="meta")
    total += flops(model.rpn.head, list(features.values()))
    total += flops(heads.box_head, pooled) + flops(heads.box_predictor, hidden)
    return total // 2


def check(model: ModelSpecification, classes: int, height: int, width: int) -> None:
    description = describe(
        model.architecture,
        model.backbone,
        model.norm,
        model.stride_in_1x1,
        model.widths,
        classes,
        height,
        width,
    )
    with torch.device("meta"):
        built = build_model(model, classes, 128)
    body = built.backbone.body if model.architecture == "faster_rcnn" else built
    fc = sum(p.numel() for name, p in body.named_parameters() if name.startswith("fc"))
    assert description.parameters == sum(p.numel() for p in built.parameters())
    assert description.backbone_parameters == sum(p.numel() for p in body.parameters()) - fc
    assert description.macs == counted_macs(built, height, width)


@pytest.mark.parametrize("architecture", ["faster_rcnn", "classifier"])
@pytest.mark.parametrize("backbone", ["resnet18", "resnet34", "resnet50", "resnet101"])
def test_equals_torch_at_standard_widths(architecture: str, backbone: str) -> None:
    check(ModelSpecification(architecture=architecture, backbone=backbone), 5, 160, 224)


@pytest.mark.parametrize("norm", ["batch", "frozen_batch", "group"])
@pytest.mark.parametrize("backbone", ["resnet18", "resnet50"])
@pytest.mark.parametrize("seed", [0, 1])
def test_equals_torch_at_random_widths(backbone: str, norm: str, seed: int) -> None:
    draw = random.Random(seed)
    groups = standard_widths("faster_rcnn", backbone)
    widths = {group: draw.randint(1, 40) for group in draw.sample(sorted(groups), len(groups) // 2)}
    stride_in_1x1 = backbone == "resnet50" and seed == 1
    model = ModelSpecification(backbone=backbone, norm=norm, widths=widths, stride_in_1x1=stride_in_1x1)
    check(model, draw.randint(1, 90), 32 * draw.randint(1, 9), 32 * draw.randint(1, 9))


def test_classifier_takes_odd_image_sizes() -> None:
    check(ModelSpecification(architecture="classifier", backbone="resnet18"), 3, 71, 97)


def test_detector_pads_to_a_multiple_of_32() -> None:
    odd, padded = (
        describe("faster_rcnn", "resnet50", "batch", False, None, 80, height, width)
        for height, width in [(800, 1333), (800, 1344)]
    )
    assert odd == padded


def test_published_sizes_of_resnet50() -> None:
    described = describe("classifier", "resnet50", "batch", False, None, 1000, 224, 224)
    assert described.parameters == 25_557_032
    assert described.backbone_parameters == 23_508_032
    assert described.macs == 4_089_184_256


def test_unknown_norm_is_refused() -> None:
    with pytest.raises(ValueError, match="no norm 'layer'; take one of frozen_batch, batch, group"):
        describe("classifier", "resnet18", "layer", False, None, 2, 64, 64)
