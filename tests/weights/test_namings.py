"""Each naming, there and back: the network answers as the one whose weights were renamed."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import detection

from backend.architectures.tensors import class_tensors, tensor_shapes
from backend.errors import InvalidInput
from backend.weights.colours import DEVIATION
from backend.weights.matching import match
from tests.weights.detectron2_names import detectron2_state
from tests.weights.networks import HEADS, built, classifier, detector, state
from tests.weights.taker import Taker
from worker.training.backbones import IMAGE_DEVIATION
from worker.training.states import entries_of

THIN = {"stem": 8, "layer1": 8, "layer2": 8, "layer3": 8, "layer4": 8}
RGB = {"input": "rgb"}


def answers(network: nn.Module) -> list[Tensor]:
    """What every head says to one image, but for the background's boxes, masks and RetinaNet's scores."""
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        if not hasattr(network, "backbone"):
            return [network(images)]
        features = list(network.backbone(images).values())
        if hasattr(network, "head"):
            found = network.head(features)
            return [*features, found["cls_logits"][..., 1:], found["bbox_regression"]]
        return [*features, *region_answers(network, features)]


def region_answers(network: nn.Module, features: list[Tensor]) -> list[Tensor]:
    heads, generator = network.roi_heads, torch.Generator().manual_seed(5)
    channels = features[0].shape[1]
    scores, boxes = heads.box_predictor(heads.box_head(torch.rand(2, channels, 7, 7, generator=generator)))
    objectness, deltas = network.rpn.head(features)
    found = [*objectness, *deltas, scores, boxes[:, 4:]]
    if heads.has_mask():
        masks = heads.mask_predictor(heads.mask_head(torch.rand(2, channels, 14, 14, generator=generator)))
        found.append(masks[:, 1:])
    return found


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(answers(one), answers(other), strict=True)
    return all(torch.allclose(a, b, rtol=1e-5, atol=1e-6) for a, b in pairs)


def older(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The names of torchvision's published detectors: these layers stood alone."""
    renamed = {}
    for key, tensor in weights.items():
        if key.startswith(("backbone.fpn.inner", "backbone.fpn.layer")):
            key = key.replace(".0.weight", ".weight").replace(".0.bias", ".bias")
        if key.startswith("roi_heads.mask_head."):
            _, _, number, _, kind = key.split(".")
            key = f"roi_heads.mask_head.mask_fcn{int(number) + 1}.{kind}"
        if key.startswith("head.") and ".conv." in key:
            head, number, _, kind = key.removeprefix("head.").replace(".conv.", ".").split(".")
            key = f"head.{head}.conv.{2 * int(number)}.{kind}"
        renamed[key.replace("rpn.head.conv.0.0.", "rpn.head.conv.")] = tensor
    return renamed


@pytest.mark.parametrize("architecture", HEADS)
@pytest.mark.parametrize("rename", [dict, older, lambda s: {f"module.{k}": v for k, v in s.items()}])
def test_torchvisions_detectors(take: Taker, rename: Any, architecture: str) -> None:
    model = detector(architecture=architecture)
    network, report = take.file(model, rename(state(model)))
    assert same(network, built(model))
    assert not same(network, built(model, seed=12))
    assert (report.naming, report.missing, report.left_over) == ("torchvision", [], [])


@pytest.mark.parametrize("architecture", HEADS)
@pytest.mark.parametrize("norm", ["batch", "frozen_batch", "group"])
def test_detectron2s_detectors(take: Taker, architecture: str, norm: str) -> None:
    model = detector(architecture=architecture, norm=norm)
    network, report = take.file(model, {"model": detectron2_state(state(model)), "iteration": 9}, **RGB)
    assert same(network, built(model))
    assert (report.naming, report.missing, report.left_over) == ("Detectron2", [], [])
    assert any("half a pixel" in note for note in report.notes) == (architecture != "retinanet")


@pytest.mark.parametrize("prefix", ["", "backbone.", "bottom_up.", "backbone.bottom_up."])
def test_detectron2s_residual_network_alone(take: Taker, prefix: str) -> None:
    bottleneck = classifier(backbone="resnet50", widths=THIN)
    given = detectron2_state(state(bottleneck), prefix)
    network, report = take.file(bottleneck, given, **RGB)
    assert same(network, built(bottleneck))
    assert report.missing == []


def test_detectron2s_names_demand_to_know_the_input(take: Taker) -> None:
    with pytest.raises(InvalidInput, match=r"^init.input: w.pth has Detectron2's names, .* take bgr_255 for"):
        take.file(detector(), detectron2_state(state(detector())))


def test_blue_green_red_up_to_255_is_folded_into_the_first_convolution(take: Taker) -> None:
    """The network that was made for it answers to (x - mean) as ours does to the same pixels in its own scale."""
    network, report = take.file(classifier(), state(classifier()), input="bgr_255")
    pixels = torch.rand(1, 3, 64, 64, dtype=torch.float64)
    mean = torch.tensor([123.675, 116.28, 103.53]).double().reshape(3, 1, 1)
    deviation = torch.tensor([58.395, 57.12, 57.375]).double().reshape(3, 1, 1)
    theirs, ours = built(classifier()).double(), network.double()
    with torch.no_grad():
        expected = theirs.logits((255 * pixels - mean).flip(1))
        assert torch.allclose(ours.logits((255 * pixels - mean) / deviation), expected, rtol=1e-4)
        assert not torch.allclose(theirs.logits((255 * pixels - mean) / deviation), expected, rtol=1e-2)
    assert any("from BGR in 0 … 255 to RGB" in note for note in report.notes)
    assert DEVIATION == IMAGE_DEVIATION


def test_weights_of_the_other_stride_are_warned_of(take: Taker) -> None:
    wide = classifier(backbone="resnet50", widths=THIN)
    for model, warned in ((wide, True), (wide.model_copy(update={"stride_in_1x1": True}), False)):
        _, report = take.file(model, state(model), input="bgr_255")
        assert any("stride in the 1x1" in note for note in report.notes) == warned


@pytest.mark.parametrize("categories", [1, 2, 9])
def test_another_number_of_categories_is_drawn_anew(take: Taker, categories: int) -> None:
    given = state(detector(), classes=categories)
    for content, init in ((given, {}), (detectron2_state(given), RGB)):
        network, report = take.file(detector(), content, **init)
        assert report.missing == [
            f"roi_heads.box_predictor.{layer}.{kind}"
            for layer in ("cls_score", "bbox_pred")
            for kind in ("weight", "bias")
        ]
        assert len(report.left_over) == 4
        assert any(
            "another number of categories: roi_heads.box_predictor.cls_score" in n for n in report.notes
        )
        fresh = built(detector(), seed=1)
        drawn = network.roi_heads.box_predictor.cls_score.weight
        assert torch.equal(drawn, fresh.roi_heads.box_predictor.cls_score.weight)
        assert torch.equal(network.rpn.head.bbox_pred.weight, given["rpn.head.bbox_pred.weight"])


def test_the_same_number_of_categories_must_be_the_same_categories(take: Taker) -> None:
    _, report = take.file(detector(), state(detector()))
    assert any(
        "must be the dataset's in the same order: roi_heads.box_predictor.cls_score" in n
        for n in report.notes
    )


def test_class_agnostic_boxes_are_drawn_anew(take: Taker) -> None:
    given = detectron2_state(state(detector()))
    for kind in ("weight", "bias"):
        given[f"roi_heads.box_predictor.bbox_pred.{kind}"] = given[
            f"roi_heads.box_predictor.bbox_pred.{kind}"
        ][:4]
    _, report = take.file(detector(), given, **RGB)
    assert report.missing == [
        "roi_heads.box_predictor.bbox_pred.weight",
        "roi_heads.box_predictor.bbox_pred.bias",
    ]


def test_layers_with_a_norm_of_their_own_are_drawn_anew(take: Taker) -> None:
    given = detectron2_state(state(detector()))
    del given["backbone.fpn_lateral3.bias"]
    given["backbone.fpn_lateral3.norm.weight"] = torch.ones(8)
    _, report = take.file(detector(), given, **RGB)
    assert report.missing == ["backbone.fpn.inner_blocks.1.0.weight", "backbone.fpn.inner_blocks.1.0.bias"]
    assert report.left_over == ["backbone.fpn_lateral3.weight", "backbone.fpn_lateral3.norm.weight"]
    assert any("a norm follows the weights'" in note for note in report.notes)


def test_further_layers_of_a_part_are_told(take: Taker) -> None:
    given = state(detector(), rpn__head__conv__1__0__weight=torch.zeros(8, 8, 3, 3))
    _, report = take.file(detector(), given)
    assert report.left_over == ["rpn.head.conv.1.0.weight"]
    assert "Taken in part only, since the weights have more layers there: the RPN." in report.notes


def test_detectron2s_retinanet_takes_its_coarse_levels_from_another_map(take: Taker) -> None:
    model = detector(architecture="retinanet")
    given = detectron2_state(state(model)) | {"backbone.top_block.p6.weight": torch.zeros(8, 16, 3, 3)}
    _, report = take.file(model, given, **RGB)
    assert report.missing == ["backbone.fpn.extra_blocks.p6.weight", "backbone.fpn.extra_blocks.p6.bias"]
    assert any(
        "since the weights' take another map: backbone.fpn.extra_blocks.p6" in note for note in report.notes
    )


def test_published_detectors_of_torchvision_fit_by_name_and_shape(take: Taker) -> None:
    """Its own modules at full size, with 91 categories, told under both generations of names."""
    makers = {"mask_rcnn": detection.maskrcnn_resnet50_fpn, "retinanet": detection.retinanet_resnet50_fpn}
    for architecture, make in makers.items():
        with torch.device("meta"):
            shapes = make(weights=None, weights_backbone=None, num_classes=91).state_dict()
        network = tensor_shapes(architecture, "resnet50", "frozen_batch", None, 90)
        for names in (dict, older):
            plan = match(
                "w",
                entries_of(names(shapes)),
                network,
                class_tensors(architecture, "resnet50", "frozen_batch", None),
            )
            assert (plan.missing, plan.left_over) == ((), ())
            assert len(plan.transfers) == len(network)
