"""Parameters and MACs at other widths than the standard against torch: numel, and its own counter of operations.

The standard widths are compared in test_models_page.py.
"""

from __future__ import annotations

import random
from typing import get_args

import pytest

from backend.architectures.describe import describe
from backend.architectures.description import Description
from backend.architectures.widths import NECK_AND_HEADS, standard_widths
from backend.runs.specification import Architecture, BackboneName, ModelSpecification, Norm
from benchmarks.counts import built, macs, parameters

ARCHITECTURES, BACKBONES, NORMS = map(get_args, (Architecture, BackboneName, Norm))


def described(model: ModelSpecification, classes: int, height: int, width: int) -> Description:
    return describe(**model.model_dump(), classes=classes, image_height=height, image_width=width)


def check(model: ModelSpecification, classes: int, height: int, width: int) -> None:
    description, network = described(model, classes, height, width), built(model, classes)
    assert (description.parameters, description.backbone_parameters) == parameters(network)
    assert description.macs == macs(network, height, width)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("norm", NORMS)
def test_equals_torch_at_random_widths(architecture: str, norm: str) -> None:
    draw = random.Random(f"{architecture} {norm}")
    # Each backbone once with each architecture and once with each norm.
    backbone = BACKBONES[(ARCHITECTURES.index(architecture) + NORMS.index(norm)) % len(BACKBONES)]
    groups = standard_widths(architecture, backbone)
    model = ModelSpecification(
        architecture=architecture,
        backbone=backbone,
        norm=norm,
        widths={group: draw.randint(1, 40) for group in draw.sample(sorted(groups), len(groups) // 2)},
        stride_in_1x1=backbone == "resnet50",
    )
    check(model, draw.randint(1, 90), 32 * draw.randint(2, 9), 32 * draw.randint(2, 9))


@pytest.mark.parametrize(
    ("architecture", "group"),
    [(architecture, group) for architecture in ARCHITECTURES for group in NECK_AND_HEADS[architecture]],
)
def test_every_group_reaches_what_is_built(architecture: str, group: str) -> None:
    standard = ModelSpecification(architecture=architecture, backbone="resnet18")
    narrow = ModelSpecification(architecture=architecture, backbone="resnet18", widths={group: 3})
    check(narrow, 4, 64, 64)
    assert described(narrow, 4, 64, 64).parameters < described(standard, 4, 64, 64).parameters


def test_classifier_takes_odd_image_sizes() -> None:
    check(ModelSpecification(architecture="classifier", backbone="resnet18"), 3, 71, 97)


@pytest.mark.parametrize("architecture", ["faster_rcnn", "mask_rcnn", "retinanet"])
def test_detector_pads_to_a_multiple_of_32(architecture: str) -> None:
    odd, padded = (
        describe(architecture, "resnet50", "batch", False, None, 80, height, width)
        for height, width in [(800, 1333), (800, 1344)]
    )
    assert odd == padded


def test_published_sizes_of_resnet50() -> None:
    described = describe("classifier", "resnet50", "batch", False, None, 1000, 224, 224)
    assert described.parameters == 25_557_032
    assert described.backbone_parameters == 23_508_032
    assert described.macs == 4_089_184_256


def test_unknown_norm_is_refused() -> None:
    with pytest.raises(
        ValueError, match="no norm 'layer'; take one of frozen_batch, batch, sync_batch, group"
    ):
        describe("classifier", "resnet18", "layer", False, None, 2, 64, 64)
