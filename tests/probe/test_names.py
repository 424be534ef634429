"""What maps are called, how many there are, and how they are chosen."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch import nn
from torchvision.models import resnet18, resnet50

from backend.errors import InvalidInput
from backend.runs.specification import ModelSpecification, ProbeSpecification
from worker.probe.maps import KINDS
from worker.probe.probe import DEFAULT_MAPS, EigenspectrumProbe
from worker.training.detectors import build_model

BODY = ("conv", "norm", "act", "block")
IMAGE = torch.zeros(3, 64, 64)


def layers(model: nn.Module, maps=BODY, **options):
    return EigenspectrumProbe(model, [IMAGE], maps=maps, **options).layers


@pytest.fixture(scope="module")
def resnet50_layers():
    return layers(resnet50())


def test_resnet50_has_155_maps_each_counted_once(resnet50_layers) -> None:
    assert Counter(layer.map for layer in resnet50_layers) == {"conv": 53, "norm": 53, "act": 33, "block": 16}
    assert len({layer.name for layer in resnet50_layers}) == 155
    assert [layer.order for layer in resnet50_layers] == list(range(155))


def test_resnet18_has_one_act_less_per_block() -> None:
    assert Counter(layer.map for layer in layers(resnet18())) == {
        "conv": 20,
        "norm": 20,
        "act": 9,
        "block": 8,
    }


def test_they_are_in_order_of_execution(resnet50_layers) -> None:
    assert [layer.name for layer in resnet50_layers[:15]] == [
        "conv1",
        "norm1",
        "act1",
        "layer1.0.conv1",
        "layer1.0.norm1",
        "layer1.0.act1",
        "layer1.0.conv2",
        "layer1.0.norm2",
        "layer1.0.act2",
        "layer1.0.conv3",
        "layer1.0.norm3",
        "layer1.0.downsample.conv",
        "layer1.0.downsample.norm",
        "layer1.0",
        "layer1.1.conv1",
    ]


def test_stages_and_widths(resnet50_layers) -> None:
    by_name = {layer.name: layer for layer in resnet50_layers}
    assert (by_name["conv1"].stage, by_name["conv1"].width) == ("stem", 64)
    assert (by_name["layer3.5.act2"].stage, by_name["layer3.5.act2"].width) == ("layer3", 256)
    assert (by_name["layer4.2"].map, by_name["layer4.2"].stage, by_name["layer4.2"].width) == (
        "block",
        "layer4",
        2048,
    )


@pytest.mark.parametrize(
    ("norm", "stride_in_1x1"), [("batch", False), ("frozen_batch", True), ("group", False)]
)
def test_our_own_backbones_have_the_same_names(resnet50_layers, norm, stride_in_1x1) -> None:
    specification = ModelSpecification(
        architecture="classifier", backbone="resnet50", norm=norm, stride_in_1x1=stride_in_1x1
    )
    assert layers(build_model(specification, 3, 64)) == resnet50_layers


def test_a_detectors_maps(make_detector) -> None:
    found = layers(make_detector(), maps=("fpn", "rpn", "box_head"))
    assert [(layer.name, layer.width) for layer in found] == [
        ("fpn.inner.p5", 12),
        ("fpn.p5", 12),
        ("fpn.inner.p4", 12),
        ("fpn.p4", 12),
        ("fpn.inner.p3", 12),
        ("fpn.p3", 12),
        ("fpn.inner.p2", 12),
        ("fpn.p2", 12),
        ("fpn.pool", 12),
        ("rpn.conv.p2", 12),
        ("rpn.conv.p3", 12),
        ("rpn.conv.p4", 12),
        ("rpn.conv.p5", 12),
        ("rpn.conv.pool", 12),
        ("box_head.fc6", 20),
        ("box_head.fc7", 20),
    ]
    assert {layer.stage for layer in found} == {"fpn", "rpn", "box_head"}


@pytest.mark.parametrize(
    ("architecture", "others"),
    [
        ("faster_rcnn", {"fpn": 9, "rpn": 5, "box_head": 2}),
        ("mask_rcnn", {"fpn": 9, "rpn": 5, "box_head": 2, "mask_head": 4}),
        ("retinanet", {"fpn": 8, "retina_head": 40}),
        ("classifier", {}),
    ],
)
def test_our_own_models_have_every_kind(architecture: str, others: dict[str, int]) -> None:
    model = build_model(ModelSpecification(architecture=architecture, backbone="resnet18"), 3, 64)
    body = {"conv": 20, "norm": 20, "act": 9, "block": 8}
    assert Counter(layer.map for layer in layers(model, maps=KINDS)) == body | others


def test_the_detectors_body_is_named_as_the_body_alone(make_detector, make_body) -> None:
    assert layers(make_detector()) == layers(make_body())


def test_a_body_that_returns_fewer_levels(make_detector) -> None:
    model = make_detector()
    fpn = model.backbone.fpn
    model.backbone.body.return_layers = {"layer2": "1", "layer3": "2", "layer4": "3"}
    fpn.inner_blocks, fpn.layer_blocks = fpn.inner_blocks[1:], fpn.layer_blocks[1:]
    names = [layer.name for layer in layers(model, maps=("fpn",))]
    assert names == ["fpn.inner.p5", "fpn.p5", "fpn.inner.p4", "fpn.p4", "fpn.inner.p3", "fpn.p3", "fpn.pool"]


def test_layers_are_chosen_by_kind_and_expression(make_detector) -> None:
    model = make_detector()
    chosen = layers(model, maps=("act", "block"), layers=r"^layer[34]\.")
    assert [layer.name for layer in chosen] == [
        "layer3.0.act1", "layer3.0.act2", "layer3.0", "layer4.0.act1", "layer4.0.act2", "layer4.0",
    ]  # fmt: skip
    assert [layer.order for layer in chosen] == list(range(6))
    assert [s.layer for s in EigenspectrumProbe(model, [IMAGE], maps=("block",)).measure()] == list(
        layers(model, maps=("block",))
    )


def test_the_default_kinds_are_the_specifications() -> None:
    assert ProbeSpecification().maps == DEFAULT_MAPS


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"maps": ("acts",)}, "no kind of map 'acts'; take some of conv, norm"),
        ({"maps": "act"}, "must name kinds of map, such as .* and is 'act'"),
        ({"maps": ()}, "must name kinds of map"),
        ({"layers": ["act"]}, "must be a regular expression such as"),
        ({"layers": "layer5"}, "'layer5' select none of the model's"),
        ({"maps": ("fpn",)}, "it has conv, norm, act, block"),
        ({"layers": "("}, "is no regular expression"),
        ({"batch_size": 0}, "at least 1, not 0"),
    ],
)
def test_what_selects_nothing_is_refused(make_body, options, said) -> None:
    with pytest.raises(InvalidInput, match=said):
        layers(make_body(), **options)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        ([], "the probe set is empty"),
        ([IMAGE, torch.zeros(64, 64)], "probe image 1 must be a float tensor"),
        ([torch.zeros(3, 64, 64, dtype=torch.uint8)], "not torch.uint8 of shape"),
    ],
)
def test_images_that_are_none_are_refused(make_body, images, said) -> None:
    with pytest.raises(InvalidInput, match=said):
        EigenspectrumProbe(make_body(), images)
