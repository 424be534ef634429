"""Weights from another run's checkpoint, and from ImageNet."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
import torchvision
from torch import nn

from backend.errors import InvalidInput, Unavailable
from backend.weights.imagenet import FILES
from tests.weights.networks import built, classifier, detector
from tests.weights.taker import Taker
from worker.training import checkpoints, weights
from worker.training.backbones import Classifier


def test_a_classifiers_run_gives_a_detector_its_backbone(take: Taker) -> None:
    given = built(classifier(), classes=9)
    network, report = take.run(detector(), given)
    assert report.left_over == ["fc.weight", "fc.bias"]
    assert "of run 1 at iteration 8" in str(report)
    assert isinstance(given, Classifier)
    assert torch.equal(network.backbone.body.layer3[1].conv2.weight, given.layer3[1].conv2.weight)


def test_a_detectors_run_gives_the_whole_or_its_backbone(take: Taker) -> None:
    given = built(detector())
    network, report = take.run(detector(), given)
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in given.state_dict().items())
    assert (report.missing, report.left_over, report.notes) == ([], [], [])
    alone, report = take(classifier(), {"kind": "run", "run_id": 1})
    assert torch.equal(alone.layer1[0].conv1.weight, given.backbone.body.layer1[0].conv1.weight)
    assert report.missing == ["fc.weight", "fc.bias"]


def test_any_kept_iteration_can_be_taken(take: Taker) -> None:
    given = built(detector())
    network, report = take.run(detector(), given, iteration=4)
    assert report.file == "the checkpoint of run 1 at iteration 4"
    assert torch.equal(network.rpn.head.cls_logits.weight, given.rpn.head.cls_logits.weight + 1)


def test_a_run_on_another_dataset_is_told_that_its_categories_are_taken(take: Taker) -> None:
    _, report = take.run(detector(), built(detector()), dataset_id=2)
    assert any("must be the dataset's in the same order" in note for note in report.notes)


def test_a_run_with_other_categories_gives_all_but_the_last_layers(take: Taker) -> None:
    given = built(detector(), classes=9)
    network, report = take.run(detector(), given)
    assert len(report.missing) == 4
    assert torch.equal(network.roi_heads.box_head.fc7.weight, given.roi_heads.box_head.fc7.weight)


def same_keys(one: nn.Module, other: nn.Module, prefix: str) -> list[str]:
    """The tensors below a prefix that both have, all of which must be equal."""
    mine, theirs = one.state_dict(), other.state_dict()
    common = [key for key in mine if key.startswith(prefix) and key in theirs]
    assert all(torch.equal(mine[key], theirs[key]) for key in common)
    return common


def test_a_mask_rcnn_takes_all_that_a_faster_rcnn_has(take: Taker) -> None:
    given = built(detector())
    network, report = take.run(detector(architecture="mask_rcnn"), given)
    assert same_keys(network, given, "") == list(given.state_dict())
    assert all(key.startswith("roi_heads.mask_") for key in report.missing)
    assert report.notes == ["Drawn at random, since the weights have none: the mask head."]


def test_a_faster_rcnn_leaves_a_mask_rcnns_mask_head(take: Taker) -> None:
    given = built(detector(architecture="mask_rcnn"))
    network, report = take.run(detector(), given)
    assert same_keys(network, given, "") == list(network.state_dict())
    assert all(key.startswith("roi_heads.mask_") for key in report.left_over)


def test_a_retinanets_pyramid_is_taken_level_by_level(take: Taker) -> None:
    """Its number 0 is layer2's level, that of the other detectors layer1's."""
    given = built(detector(architecture="retinanet"))
    network, report = take.run(detector(), given)
    theirs, ours = given.backbone.fpn, network.backbone.fpn
    for level in range(3):
        assert torch.equal(ours.inner_blocks[level + 1][0].weight, theirs.inner_blocks[level][0].weight)
        assert torch.equal(ours.layer_blocks[level + 1][0].bias, theirs.layer_blocks[level][0].bias)
    assert [key for key in report.missing if "fpn" in key] == [
        f"backbone.fpn.{kind}_blocks.0.0.{tensor}"
        for kind in ("inner", "layer")
        for tensor in ("weight", "bias")
    ]
    back, report = take(detector(architecture="retinanet"), {"kind": "run", "run_id": 1})
    assert same_keys(back, given, "") == list(given.state_dict())


@pytest.mark.parametrize(
    ("init", "words"),
    [
        ({"run_id": 1, "iteration": 3}, "run 1 has no checkpoint of iteration 3; it keeps 4, 8"),
        ({"run_id": 2}, "there is no run 2 to take weights from"),
    ],
)
def test_a_checkpoint_that_is_not_kept_is_refused(take: Taker, init: dict[str, int], words: str) -> None:
    take.store_run(built(detector()))
    with pytest.raises(InvalidInput, match=f"^init.run_id: {words}"):
        take(detector(), {"kind": "run", **init})


def test_a_checkpoint_that_is_gone_or_damaged_is_named(take: Taker) -> None:
    take.store_run(built(detector()))
    path = checkpoints.path_of(take.settings.run_folder(1), 8)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(
        InvalidInput, match="the checkpoint of run 1 at iteration 8 holds no weights that can be read"
    ):
        take(detector(), {"kind": "run", "run_id": 1})
    path.unlink()
    with pytest.raises(
        InvalidInput, match=r"the checkpoint of run 1 .* is gone from the disk; take another iteration"
    ):
        take(detector(), {"kind": "run", "run_id": 1})


def test_imagenet_comes_from_torch_hubs_cache(
    take: Taker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    theirs = torchvision.models.resnet18(weights=None)
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    torch.save(theirs.state_dict(), cache / FILES["resnet18"])
    network, report = take(detector(widths=None), {"kind": "imagenet"})
    assert torch.equal(network.backbone.body.conv1.weight, theirs.conv1.weight)
    assert (report.file, report.left_over) == (FILES["resnet18"], ["fc.weight", "fc.bias"])


@pytest.mark.parametrize("backbone", FILES)
def test_imagenets_files_are_torchvisions(backbone: Any) -> None:
    url = torchvision.models.get_model_weights(backbone)["IMAGENET1K_V1"].url
    assert url.endswith(f"/{FILES[backbone]}")


def test_imagenet_without_cache_or_network_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise URLError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", offline)
    monkeypatch.setattr(torch.hub, "urlopen", offline)
    with pytest.raises(
        Unavailable, match=r"resnet50-0676ba61.pth are neither in .* copy the file there"
    ) as caught:
        weights.imagenet_state("resnet50")
    assert "http" not in str(caught.value)
