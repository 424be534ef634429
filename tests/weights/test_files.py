"""Weights from a file: what fits is taken and told, what does not is refused in one sentence with the mend."""

from __future__ import annotations

import argparse
import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from backend.errors import InvalidInput
from backend.settings import Settings
from tests.weights.networks import classifier, detector, state
from tests.weights.taker import Taker
from worker.training.detectors import build_model


@dataclasses.dataclass
class Settled:
    """What a training might keep beside its weights."""

    lr: float = 0.1


def test_half_precision_becomes_the_backbone(take: Taker) -> None:
    half = {key: value.half() if value.ndim == 4 else value for key, value in state(classifier()).items()}
    network, report = take.file(detector(), half)
    taken = network.backbone.body.layer2[0].conv1.weight
    assert taken.dtype == torch.float32
    assert torch.equal(taken, half["layer2.0.conv1.weight"].float())
    assert report.left_over == ["fc.weight", "fc.bias"]
    assert "2 left over: fc.weight, fc.bias" in str(report)
    assert report.notes[0] == "Drawn at random, since the weights have none: the FPN, the RPN, the box head."


def test_loading_changes_the_backbone_and_nothing_else(take: Taker) -> None:
    network, report = take.file(detector(), state(classifier()))
    fresh = build_model(detector(), 3, 64, seed=1).state_dict()
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, fresh[name]) != name.startswith("backbone.body."), name
    assert report.used == 120
    assert sorted(report.missing) == sorted(key for key in fresh if not key.startswith("backbone.body."))


def test_a_file_without_counters_or_last_layer_is_whole(take: Taker) -> None:
    given = state(classifier())
    bare = {key: t for key, t in given.items() if "num_batches" not in key and not key.startswith("fc.")}
    _, report = take.file(classifier(), bare)
    assert report.missing == ["fc.weight", "fc.bias"]
    assert "20 counters of batches are not among the weights; nothing uses them." in report.notes
    _, frozen = take.file(detector(norm="frozen_batch"), given)
    assert frozen.left_over == ["fc.weight", "fc.bias"]


def test_a_classifiers_last_layer_is_taken_where_the_categories_are_as_many(take: Taker) -> None:
    given = state(classifier())
    network, report = take.file(classifier(), given)
    assert torch.equal(network.fc.weight, given["fc.weight"])
    assert any("must be the dataset's in the same order: fc" in note for note in report.notes)
    network, report = take.file(classifier(), given, classes=5)
    assert report.missing == ["fc.weight", "fc.bias"]


def test_safetensors(take: Taker) -> None:
    given = {key: t.bfloat16() if t.ndim == 4 else t for key, t in state(detector()).items()}
    network, report = take.safetensors(detector(), given)
    assert torch.equal(network.rpn.head.cls_logits.weight, given["rpn.head.cls_logits.weight"].float())
    assert report.missing == []


def test_tensors_of_any_layout_are_read(take: Taker) -> None:
    """Channels last, views into one storage, parameters, a newer pickle: all are the same numbers."""
    given = state(classifier())
    flat = torch.cat([torch.zeros(5), given["fc.weight"].flatten()])
    changed: dict[str, Tensor] = {
        **{key: t.to(memory_format=torch.channels_last) if t.ndim == 4 else t for key, t in given.items()},
        "fc.weight": flat[5:].reshape(given["fc.weight"].shape),
        "fc.bias": nn.Parameter(given["fc.bias"]),
    }
    torch.save(changed, take.settings.data / "w.pt", pickle_protocol=4)
    network, _ = take(classifier(), {"kind": "file", "file": "w.pt"})
    assert all(torch.equal(tensor, given[key]) for key, tensor in network.state_dict().items())


def test_what_a_checkpoint_keeps_beside_its_weights_is_passed_over(take: Taker) -> None:
    rest = {
        "args": argparse.Namespace(lr=0.1, data="x"),
        "lr_scheduler": {"milestones": Counter([3])},
        "optimizer": {"state": {0: {"momentum_buffer": torch.zeros(3)}}, "param_groups": [{"lr": 0.1}]},
        "config": Settled(),
        "epoch": 3,
    }
    _, report = take.file(detector(), {"model": state(detector()), **rest})
    assert report.missing == report.left_over == []
    _, report = take.file(detector(), {"state_dict": state(detector()), **rest})
    assert report.missing == []


FITS = state(classifier())
REFUSED: list[tuple[str, Any, str]] = [
    (
        "shape",
        FITS | {"layer1.0.conv1.weight": torch.zeros(1, 2)},
        r"w.pth holds 'layer1.0.conv1.weight' with shape \(1, 2\), but the model's has \(64, 64, 3, 3\); choose the "
        "backbone and widths",
    ),
    (
        "other backbone",
        FITS | {"layer3.0.conv3.weight": torch.zeros(1)},
        "'layer3.0.conv3.weight', which the model",
    ),
    (
        "missing",
        {key: t for key, t in FITS.items() if key != "layer2.1.bn2.weight"},
        r"w.pth lacks 'layer2.1.bn2.weight' \(128,\), which the model has; choose the architecture",
    ),
    (
        "statistics",
        {key: t for key, t in FITS.items() if key != "bn1.running_var"},
        r"lacks 'bn1.running_var' \(64,\), which the model has; choose model.norm batch",
    ),
    (
        "integers",
        FITS | {"conv1.weight": torch.zeros(64, 3, 7, 7, dtype=torch.int8)},
        "as int8; save it as float32",
    ),
    ("twice", FITS | {"backbone.body.conv1.weight": FITS["conv1.weight"]}, "mean the same tensor; keep one"),
    (
        "other names",
        {"backbone.conv1.weight": FITS["conv1.weight"]},
        "neither torchvision's names .* nor Detectron2's",
    ),
    ("empty", {}, "holds no tensors; save the model's own"),
    (
        "wrapped",
        {"weights": FITS},
        r"no plain state dict \('weights' is no tensor but dict\); save the model's own",
    ),
    ("list", [1, 2], r"no plain state dict \(list\)"),
    ("one tensor", torch.zeros(2), r"no plain state dict \(TensorEntry\)|no plain state dict"),
    (
        "whole model",
        nn.Linear(2, 2),
        r"no plain state dict \(torch.nn.modules.linear.Linear\); save the model's own",
    ),
    (
        "sparse",
        FITS | {"fc.bias": torch.eye(3).to_sparse()},
        "'fc.bias' is no tensor but torch._utils._rebuild_sparse",
    ),
]


@pytest.mark.parametrize(("content", "words"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_what_does_not_fit_is_refused_in_the_same_words(take: Taker, content: Any, words: str) -> None:
    with pytest.raises(InvalidInput, match=f"^init.file: .*{words}"):
        take.file(detector(), content)


def test_a_head_of_another_width_is_refused(take: Taker) -> None:
    given = state(detector(widths={"fpn": 16, "box_head": 16}))
    with pytest.raises(
        InvalidInput, match=r"'backbone.fpn.inner_blocks.0.0.weight' with shape \(16, 64, 1, 1\)"
    ):
        take.file(detector(widths=HALF), given)


HALF = {"fpn": 8, "box_head": 16}


def test_statistics_do_not_fit_group_norm(take: Taker) -> None:
    with pytest.raises(
        InvalidInput, match=r"holds 'bn1.running_mean', .* choose model.norm batch or frozen_batch"
    ):
        take.file(detector(norm="group"), FITS)


def test_files_outside_the_data_root_are_refused(take: Taker, settings: Settings, tmp_path: Path) -> None:
    torch.save(FITS, tmp_path / "outside.pth")
    for name in ("../outside.pth", str(tmp_path / "outside.pth")):
        with pytest.raises(InvalidInput, match="must be a name below the data root"):
            take(detector(), {"kind": "file", "file": name})
