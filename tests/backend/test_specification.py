"""Contradictions are refused with a sentence; unknown fields are never ignored."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from backend.architectures.maps import MAP_KINDS
from backend.models import Dataset
from backend.runs.cost import cost
from backend.runs.specification import Architecture, MapKind, Norm, RunSpecification

CELLS = Dataset(
    name="cells",
    categories=[{"id": k, "name": str(k)} for k in (1, 2, 3)],
    counts={split: {"images": 1000, "annotations": 4000} for split in ("train", "val")},
)


def built(**parts: Any) -> RunSpecification:
    return RunSpecification.model_validate({"dataset_id": 1, **parts})


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"modle": {}}, "Extra inputs are not permitted"),
        ({"model": {"backbone": "vgg16"}}, "Input should be 'resnet18'"),
        ({"training": {"iterations": 0}}, "greater than or equal to 1"),
        ({"training": {"lr": float("nan")}}, "a finite number"),
        ({"training": {"lr": 1000}}, "less than or equal to 100"),
        ({"training": {"iterations": 10, "warmup": 11}}, "shorten the warm-up"),
        ({"training": {"warmup": 0, "iterations": 10, "milestones": [10]}}, "remove it or train longer"),
        ({"training": {"milestones": [5, 5]}}, "milestones must rise"),
        ({"training": {"trainable_stages": 3}}, "would freeze random weights"),
        ({"model": {"norm": "frozen_batch"}}, "take batch, sync_batch or group"),
        (
            {"model": {"norm": "group"}, "init": {"kind": "imagenet"}},
            "model.norm group cannot start from ImageNet",
        ),
        ({"model": {"stride_in_1x1": True, "backbone": "resnet18"}}, "has no bottlenecks"),
        ({"model": {"stride_in_1x1": True}, "init": {"kind": "imagenet"}}, "stride in the 3x3; turn it off"),
        (
            {"model": {"widths": {"fpn": 64, "layer3": 8, "stem": 8}}, "init": {"kind": "imagenet"}},
            "model.widths of layer3, stem do not fit ImageNet's weights",
        ),
        (
            {"model": {"architecture": "retinanet"}, "probe": {"maps": ["rpn", "box_head"]}},
            "rpn, box_head are none that a retinanet has; take some of conv, norm, act, block, fpn, retina_head",
        ),
        (
            {"model": {"architecture": "classifier"}, "probe": {"maps": ["fpn"]}},
            "fpn are none that a classifier has",
        ),
        ({"init": {"kind": "magic"}}, "does not match any of the expected tags"),
        ({"init": {"kind": "file"}}, "Field required"),
        ({"probe": {"layers": "("}}, "is no regular expression"),
        ({"resources": {"gpus": 65}}, "less than or equal to 64"),
        ({"resources": {"gpus": 3}, "training": {"batch_size": 4}}, "cannot be shared evenly by 3 GPUs"),
        ({"resources": {"gpus": 0}, "training": {"amp": "fp16"}}, "fp16 needs a GPU, which resources.gpus 0"),
    ],
)
def test_a_bad_specification_is_refused(parts: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        built(**parts)


@pytest.mark.parametrize(
    "parts",
    [
        {"model": {"norm": "sync_batch"}},
        {"model": {"norm": "sync_batch"}, "init": {"kind": "imagenet"}},
        {"model": {"widths": {"fpn": 64, "retina_head": 32}}, "init": {"kind": "imagenet"}},
        {"model": {"architecture": "retinanet"}, "probe": {"maps": ["rpn", "fpn"]}},
        {"model": {"architecture": "retinanet"}, "probe": {"maps": ["rpn"], "images": 0}},
    ],
)
def test_what_can_be_is_taken(parts: dict[str, Any]) -> None:
    built(**parts)


@pytest.mark.parametrize("architecture", get_args(Architecture))
def test_the_default_maps_hold_all_kinds_but_two(architecture: str) -> None:
    specification = built(model={"architecture": architecture})
    assert set(MAP_KINDS[architecture]) - set(specification.probe.maps) == {"conv", "norm"}
    assert set(MAP_KINDS[architecture]) <= set(get_args(MapKind))


@pytest.mark.parametrize(
    ("norm", "batch", "gpus", "said"),
    [
        ("batch", 2, None, "with 2 images a batch trains badly; take 4 or more, or group norm"),
        ("sync_batch", 2, 2, "with 2 images a batch trains badly; take 4 or more, or group norm"),
        (
            "batch",
            8,
            4,
            "with 2 images on each GPU trains badly; take 4 or more, or sync_batch or group norm",
        ),
        ("sync_batch", 8, 4, ""),
        ("batch", 4, 0, ""),
        ("group", 1, None, ""),
    ],
)
def test_small_batches_of_batch_norm_are_warned_of(
    norm: str, batch: int, gpus: int | None, said: str
) -> None:
    wanted = built(model={"norm": norm}, training={"batch_size": batch}, resources={"gpus": gpus})
    warnings = [text for text in cost(wanted, CELLS).warnings if "trains badly" in text]
    assert [said in text for text in warnings] == [True] * bool(said)


def test_lagging_statistics_are_warned_of_with_both_batch_norms() -> None:
    lag = {
        norm: any("lag" in w for w in cost(built(model={"norm": norm}), CELLS).warnings)
        for norm in get_args(Norm)[1:]
    }
    assert lag == {"batch": True, "sync_batch": True, "group": False}


@pytest.mark.parametrize(
    ("training", "warmup"),
    [({}, 100), ({"iterations": 4}, 0), ({"iterations": 200}, 20), ({"iterations": 90_000}, 100)],
)
def test_a_warm_up_that_is_not_named_fits_the_training(training: dict[str, Any], warmup: int) -> None:
    found = RunSpecification.model_validate({"dataset_id": 1, "training": training})
    assert found.training.warmup == warmup
    named = {"dataset_id": 1, "training": training | {"warmup": 1}}
    assert RunSpecification.model_validate(named).training.warmup == 1
