"""Names and shapes of a network's tensors against torch's own state dict."""

from __future__ import annotations

import random

import pytest
import torch

from backend.architectures.tensors import class_tensors, tensor_shapes
from backend.architectures.widths import DEPTHS, standard_widths
from backend.runs.specification import ModelSpecification
from worker.training.detectors import build_model

ARCHITECTURES = ("faster_rcnn", "mask_rcnn", "retinanet", "classifier")


def check(model: ModelSpecification, classes: int) -> None:
    with torch.device("meta"):
        built = build_model(model, classes, 128)
    described = tensor_shapes(model.architecture, model.backbone, model.norm, model.widths, classes)
    assert described == {key: tuple(tensor.shape) for key, tensor in built.state_dict().items()}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("backbone", DEPTHS)
def test_equal_torchs_at_standard_widths(architecture: str, backbone: str) -> None:
    check(ModelSpecification(architecture=architecture, backbone=backbone), 5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("norm", ["batch", "sync_batch", "frozen_batch", "group"])
@pytest.mark.parametrize("backbone", ["resnet18", "resnet50"])
def test_equal_torchs_at_random_widths(architecture: str, backbone: str, norm: str) -> None:
    draw = random.Random(f"{architecture} {backbone} {norm}")
    groups = standard_widths(architecture, backbone)
    widths = {group: draw.randint(1, 40) for group in draw.sample(sorted(groups), len(groups) // 2)}
    model = ModelSpecification(
        architecture=architecture,
        backbone=backbone,
        norm=norm,
        widths=widths,
        stride_in_1x1=backbone == "resnet50",
    )
    check(model, draw.randint(1, 90))


def test_what_depends_on_the_categories() -> None:
    assert class_tensors("classifier", "resnet18", "batch", None) == {"fc.weight", "fc.bias"}
    assert class_tensors("faster_rcnn", "resnet18", "group", None) == {
        f"roi_heads.box_predictor.{layer}.{kind}"
        for layer in ("cls_score", "bbox_pred")
        for kind in ("weight", "bias")
    }


def test_unknown_norm_is_refused() -> None:
    with pytest.raises(ValueError, match="no norm 'layer'; take one of batch, sync_batch"):
        tensor_shapes("classifier", "resnet18", "layer", None, 2)
