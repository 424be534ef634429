"""The whole detector: torchvision's own parts, widths, anchors, shared heads, what is frozen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torchvision.models.detection import (
    fasterrcnn_resnet50_fpn,
    maskrcnn_resnet50_fpn,
    retinanet_resnet50_fpn,
)

from backend.errors import InvalidInput
from backend.runs.specification import ModelSpecification
from worker.training.detectors import build_model
from worker.training.detectors.faster_rcnn import anchor_sizes
from worker.training.detectors.image_size import per_image
from worker.training.detectors.retinanet import anchor_sizes as retina_anchors
from worker.training.freezing import freeze, train_mode

SMALL = {"layer4": 16, "layer4.0.conv1": 8, "layer4.1.conv1": 8, "fpn": 8, "box_head": 16}


THEIRS: dict[str, Callable[..., nn.Module]] = {
    "faster_rcnn": fasterrcnn_resnet50_fpn,
    "mask_rcnn": maskrcnn_resnet50_fpn,
    "retinanet": retinanet_resnet50_fpn,
}


def small(norm: str = "batch") -> nn.Module:
    return build_model(ModelSpecification(backbone="resnet18", norm=norm, widths=SMALL), 3, 96)


@pytest.mark.parametrize("architecture", THEIRS)
def test_equals_torchvisions_detector_at_its_size(architecture: str) -> None:
    with torch.device("meta"):
        theirs = THEIRS[architecture](weights=None, weights_backbone=None, num_classes=4)
        ours = build_model(ModelSpecification(architecture=architecture, norm="batch"), 3, 800)
    assert shapes(ours) == shapes(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for part in dict(ours.named_children()).keys() - {"backbone"}:
        mine, other = ours.get_submodule(part), theirs.get_submodule(part)
        assert repr(mine).replace("Subnets", "RetinaNetHead") == repr(other)
        assert constants(mine) == constants(other)
    assert constants(ours) == constants(theirs)
    mine, other = (anchors_of(model) for model in (ours, theirs))
    assert mine.sizes == other.sizes
    assert mine.aspect_ratios == other.aspect_ratios


def shapes(model: nn.Module) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in model.state_dict().items()}


def constants(module: nn.Module) -> dict[str, object]:
    """What a module is set to, but for its parts: thresholds, counts, samplers."""
    plain = {
        name: value for name, value in vars(module).items() if isinstance(value, (int, float, str, dict))
    }
    helpers = {
        name: vars(value)
        for name, value in vars(module).items()
        if name.endswith(("sampler", "matcher", "box_coder"))
    }
    hidden = {
        name for name in plain if name.startswith("_") and name not in ("_pre_nms_top_n", "_post_nms_top_n")
    }
    return {name: value for name, value in plain.items() if name not in hidden} | helpers


def anchors_of(model: nn.Module) -> nn.Module:
    return model.anchor_generator if hasattr(model, "anchor_generator") else model.rpn.anchor_generator


@pytest.mark.parametrize("architecture", THEIRS)
def test_takes_torchvisions_weights_and_gives_what_it_gives(architecture: str) -> None:
    """The same weights find the same, down to the bit: nothing between images and detections is ours."""
    make = THEIRS[architecture]
    torch.manual_seed(0)
    theirs = make(weights=None, weights_backbone=None, num_classes=4, min_size=64, max_size=107).eval()
    ours = build_model(ModelSpecification(architecture=architecture, norm="batch"), 3, 64).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    anchors_of(ours).cell_anchors = anchors_of(theirs).cell_anchors
    for model in (ours, theirs):
        for detector in (model, getattr(model, "roi_heads", model)):
            detector.score_thresh, detector.detections_per_img = 0.0, 5
        if hasattr(model, "rpn"):
            model.rpn._post_nms_top_n = {"training": 50, "testing": 50}
    images = [torch.rand(3, 70, 90), torch.rand(3, 64, 64)]
    with torch.no_grad():
        for mine, other in zip(ours(images), theirs(images), strict=True):
            assert len(other["boxes"]) > 0
            assert mine.keys() == other.keys()
            assert all(torch.equal(mine[name], other[name]) for name in other)


def test_anchors_and_counts_shrink_with_the_image() -> None:
    assert anchor_sizes(800) == anchor_sizes(1600) == (32, 64, 128, 256, 512)
    assert anchor_sizes(600) == (24, 48, 96, 192, 384)
    assert anchor_sizes(400) == anchor_sizes(128) == (16, 32, 64, 128, 256)
    assert [per_image(512, size) for size in (64, 200, 800, 1600)] == [64, 128, 512, 512]


def test_retinanets_anchors_shrink_with_the_image() -> None:
    assert retina_anchors(800)[0] == retina_anchors(1333)[0] == (32, 40, 50)
    assert retina_anchors(800)[-1] == (512, 645, 812)
    assert retina_anchors(600)[0] == (24, 30, 38)
    assert retina_anchors(400) == retina_anchors(128)
    assert retina_anchors(128)[0] == (16, 20, 25)


def test_widths_reach_every_part() -> None:
    model = small()
    assert model.backbone.fpn.inner_blocks[3][0].in_channels == 16
    assert model.backbone.out_channels == model.rpn.head.cls_logits.in_channels == 8
    assert model.roi_heads.box_head.fc6.weight.shape == (16, 8 * 49)
    assert model.roi_heads.box_predictor.cls_score.out_features == 4


def test_widths_of_the_mask_head() -> None:
    widths = {"fpn": 8, "mask_head": 6}
    heads = built("mask_rcnn", widths).roi_heads
    assert [layer[0].weight.shape[:2] for layer in heads.mask_head] == [(6, 8), (6, 6), (6, 6), (6, 6)]
    assert heads.mask_predictor.conv5_mask.weight.shape == (6, 6, 2, 2)
    assert heads.mask_predictor.mask_fcn_logits.weight.shape == (4, 6, 1, 1)


def test_widths_of_the_subnets() -> None:
    head = built("retinanet", {"fpn": 8, "retina_head": 6}).head
    for subnet, last in ((head.classification_head, "cls_logits"), (head.regression_head, "bbox_reg")):
        assert [layer[0].weight.shape[:2] for layer in subnet.conv] == [(6, 8), (6, 6), (6, 6), (6, 6)]
        assert subnet.get_submodule(last).in_channels == 6


@pytest.mark.parametrize("width", [64, 256])
def test_subnets_pass_on_as_much_whatever_their_width(width: int) -> None:
    head = built("retinanet", {"fpn": 128, "retina_head": width}).head
    for subnet, last in ((head.classification_head, "cls_logits"), (head.regression_head, "bbox_reg")):
        layers = [layer[0] for layer in subnet.conv] + [subnet.get_submodule(last)]
        assert [layer.in_channels for layer in layers] == [128, width, width, width, width]
        for layer in layers:
            # torchvision's 0.01 where 256 channels enter.
            assert layer.weight.std().item() == pytest.approx(
                0.01 * (256 / layer.in_channels) ** 0.5, rel=0.05
            )
        assert not any(layer.bias.any() for layer in layers[:4])


def built(architecture: str, widths: dict[str, int]) -> nn.Module:
    return build_model(
        ModelSpecification(architecture=architecture, backbone="resnet18", widths=widths), 3, 96
    )


def test_mask_rcnn_shares_all_weights_that_faster_rcnn_has() -> None:
    widths = {"fpn": 8, "box_head": 16}
    one, other = built("faster_rcnn", widths), built("mask_rcnn", widths)
    shared, more = one.state_dict(), other.state_dict()
    assert all(torch.equal(tensor, more[name]) for name, tensor in shared.items())
    assert all(name.startswith("roi_heads.mask_") for name in more.keys() - shared.keys())


def test_unknown_width_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"model\.widths: there is no width group 'neck'"):
        build_model(ModelSpecification(backbone="resnet18", widths={"neck": 8}), 3, 96)


def test_heads_do_not_depend_on_the_backbone_nor_on_what_was_drawn_before() -> None:
    before = torch.get_rng_state()
    one = build_model(ModelSpecification(backbone="resnet18", widths=SMALL), 3, 96, seed=7)
    assert torch.equal(before, torch.get_rng_state())
    torch.rand(5)
    other = build_model(ModelSpecification(backbone="resnet18", widths=SMALL | {"layer1": 48}), 3, 96, seed=7)
    third = build_model(ModelSpecification(backbone="resnet18", widths=SMALL), 3, 96, seed=8)
    for name, parameter in one.roi_heads.named_parameters():
        assert torch.equal(parameter, other.roi_heads.get_parameter(name))
    assert torch.equal(one.rpn.head.cls_logits.weight, other.rpn.head.cls_logits.weight)
    assert not torch.equal(one.rpn.head.cls_logits.weight, third.rpn.head.cls_logits.weight)
    assert not torch.equal(one.backbone.body.conv1.weight, third.backbone.body.conv1.weight)


@pytest.mark.parametrize("norm", ["batch", "frozen_batch", "sync_batch", "group"])
@pytest.mark.parametrize("stages", [0, 3, 5])
@pytest.mark.parametrize("architecture", THEIRS)
def test_freezing_says_what_it_did(architecture: str, norm: str, stages: int) -> None:
    widths = {group: width for group, width in SMALL.items() if group != "box_head"}
    specification = ModelSpecification(
        architecture=architecture, backbone="resnet18", norm=norm, widths=widths
    )
    with torch.device("meta"):
        model = build_model(specification, 3, 96)
    report = freeze(model, stages)
    everything = ("stem", "layer1", "layer2", "layer3", "layer4")
    assert report.frozen == everything[: 5 - stages]
    assert report.trained == everything[5 - stages :]
    still = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert report.frozen_parameters == sum(model.get_parameter(name).numel() for name in still)
    assert all(name.startswith("backbone.body.") for name in still)
    assert ("backbone.body.layer1.0.conv1.weight" in still) == (stages < 4)
    assert ("frozen: nothing" in str(report)) == (stages == 5)


@pytest.mark.parametrize("norm", ["batch", "sync_batch"])
def test_frozen_stages_keep_their_statistics_in_training(norm: str) -> None:
    model = small(norm)
    freeze(model, 3)
    train_mode(model)
    body = model.backbone.body
    before = {name: buffer.clone() for name, buffer in body.named_buffers()}
    body(torch.rand(2, 3, 64, 64))
    moved = {name for name, buffer in body.named_buffers() if not torch.equal(buffer, before[name])}
    assert moved
    assert not any(name.startswith(("bn1", "layer1")) for name in moved)


def test_freezing_a_classifier() -> None:
    model = build_model(ModelSpecification(architecture="classifier", backbone="resnet18"), 3, 64)
    assert freeze(model, 2).frozen == ("stem", "layer1", "layer2")
    assert model.fc.weight.requires_grad


def test_a_count_of_stages_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="trainable_stages is 6; take 0 to 5"):
        freeze(small(), 6)
