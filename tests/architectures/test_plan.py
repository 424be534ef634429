"""Plans of residual networks: widths by group, strides, shortcuts."""

from __future__ import annotations

import pytest

from backend.architectures.plan import backbone_plan
from backend.architectures.widths import resolved_widths, standard_widths


def test_bottleneck_stride_moves_into_the_first_convolution() -> None:
    for in_1x1, strides in [(False, (1, 2, 1)), (True, (2, 1, 1))]:
        block = backbone_plan("resnet50", in_1x1).stages[1].blocks[0]
        assert tuple(c.stride for c in block.convolutions) == strides
        assert block.downsample is not None
        assert block.downsample.stride == block.stride == 2


def test_shortcut_has_a_convolution_only_where_shapes_differ() -> None:
    def with_downsample(**widths: int) -> list[str]:
        return [block.name for block in backbone_plan("resnet18", widths=widths).blocks if block.downsample]

    strided = ["layer2.0", "layer3.0", "layer4.0"]
    assert with_downsample() == strided
    assert with_downsample(stem=32) == ["layer1.0", *strided]
    assert with_downsample(stem=48, layer1=48) == strided


def test_group_sets_its_width_and_no_other() -> None:
    plan = backbone_plan("resnet50", widths={"layer2": 300, "layer2.1.conv2": 7})
    first, second = plan.stages[1].blocks[:2]
    assert (first.inputs, first.inner, first.outputs) == (256, (128, 128), 300)
    assert (second.inputs, second.inner, second.outputs) == (300, (128, 7), 300)
    assert plan.stages[2].blocks[0].inputs == 300


def test_groups_come_in_network_order() -> None:
    assert list(standard_widths("faster_rcnn", "resnet18"))[:4] == [
        "stem",
        "layer1",
        "layer1.0.conv1",
        "layer1.1.conv1",
    ]
    assert list(standard_widths("faster_rcnn", "resnet18"))[-2:] == ["fpn", "box_head"]


@pytest.mark.parametrize(
    ("architecture", "backbone", "group", "known"),
    [
        (
            "faster_rcnn",
            "resnet18",
            "layer5",
            "stem, layer1, layer2, layer3, layer4, fpn, box_head, layer1.0",
        ),
        ("faster_rcnn", "resnet18", "layer1.0.conv2", "followed by .conv1$"),
        ("faster_rcnn", "resnet50", "layer1.0.conv3", "layer4.2 followed by .conv1 or .conv2$"),
        ("classifier", "resnet50", "fpn", "stem, layer1, layer2, layer3, layer4, layer1.0"),
    ],
)
def test_unknown_group_names_the_known(architecture: str, backbone: str, group: str, known: str) -> None:
    with pytest.raises(
        ValueError, match=f"no width group '{group}' in a {backbone} {architecture}; take .*{known}"
    ):
        resolved_widths(architecture, backbone, {group: 8})


def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="no backbone 'vgg16'; take one of resnet18, resnet34"):
        backbone_plan("vgg16")
    with pytest.raises(ValueError, match="no architecture 'yolo'; take one of faster_rcnn, mask_rcnn"):
        standard_widths("yolo", "resnet18")
    with pytest.raises(ValueError, match="'stem' has width 0"):
        backbone_plan("resnet18", widths={"stem": 0})


@pytest.mark.parametrize(
    ("architecture", "groups"),
    [
        ("faster_rcnn", ["fpn", "box_head"]),
        ("mask_rcnn", ["fpn", "box_head", "mask_head"]),
        ("retinanet", ["fpn", "retina_head"]),
        ("classifier", []),
    ],
)
def test_a_detectors_groups_do_not_concern_its_body(architecture: str, groups: list[str]) -> None:
    body = list(standard_widths("classifier", "resnet18"))
    assert list(standard_widths(architecture, "resnet18")) == body + groups
    assert backbone_plan("resnet18", widths=dict.fromkeys(groups, 7)) == backbone_plan("resnet18")
