"""The whole detector: torchvision's own parts, widths, anchors, shared heads, what is frozen."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision.models.detection import fasterrcnn_resnet50_fpn

from backend.errors import InvalidInput
from backend.runs.specification import ModelSpecification
from worker.training.detectors import build_model
from worker.training.detectors.faster_rcnn import anchor_sizes
from worker.training.detectors.image_size import per_image
from worker.training.freezing import freeze, train_mode

SMALL = {"layer4": 16, "layer4.0.conv1": 8, "layer4.1.conv1": 8, "fpn": 8, "box_head": 16}


def small(norm: str = "batch") -> nn.Module:
    return build_model(ModelSpecification(backbone="resnet18", norm=norm, widths=SMALL), 3, 96)


def test_equals_torchvisions_detector_at_its_size() -> None:
    theirs = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=4)
    ours = build_model(ModelSpecification(backbone="resnet50", norm="batch"), 3, 800)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert repr(ours.transform) == repr(theirs.transform)
    for part in ("rpn", "roi_heads"):
        mine, other = getattr(ours, part), getattr(theirs, part)
        for name in ("_pre_nms_top_n", "_post_nms_top_n", "nms_thresh", "score_thresh", "detections_per_img"):
            assert getattr(mine, name, None) == getattr(other, name, None)
        assert repr(mine) == repr(other)
    assert ours.roi_heads.fg_bg_sampler.batch_size_per_image == 512
    cells = zip(ours.rpn.anchor_generator.cell_anchors, theirs.rpn.anchor_generator.cell_anchors, strict=True)
    assert all(torch.equal(mine, other) for mine, other in cells)


def test_anchors_and_counts_shrink_with_the_image() -> None:
    assert anchor_sizes(800) == anchor_sizes(1600) == (32, 64, 128, 256, 512)
    assert anchor_sizes(600) == (24, 48, 96, 192, 384)
    assert anchor_sizes(400) == anchor_sizes(128) == (16, 32, 64, 128, 256)
    assert [per_image(512, size) for size in (64, 200, 800, 1600)] == [64, 128, 512, 512]


def test_widths_reach_every_part() -> None:
    model = small()
    assert model.backbone.fpn.inner_blocks[3][0].in_channels == 16
    assert model.backbone.out_channels == model.rpn.head.cls_logits.in_channels == 8
    assert model.roi_heads.box_head.fc6.weight.shape == (16, 8 * 49)
    assert model.roi_heads.box_predictor.cls_score.out_features == 4


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


@pytest.mark.parametrize("norm", ["batch", "frozen_batch", "group"])
@pytest.mark.parametrize("stages", [0, 3, 5])
def test_freezing_says_what_it_did(norm: str, stages: int) -> None:
    model = small(norm)
    report = freeze(model, stages)
    everything = ("stem", "layer1", "layer2", "layer3", "layer4")
    assert report.frozen == everything[: 5 - stages]
    assert report.trained == everything[5 - stages :]
    still = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert report.frozen_parameters == sum(model.get_parameter(name).numel() for name in still)
    assert all(name.startswith("backbone.body.") for name in still)
    assert ("backbone.body.layer1.0.conv1.weight" in still) == (stages < 4)
    assert ("frozen: nothing" in str(report)) == (stages == 5)


def test_frozen_stages_keep_their_statistics_in_training() -> None:
    model = small()
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
