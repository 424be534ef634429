"""Contradictions are refused with a sentence; unknown fields are never ignored."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from backend.runs.presets import presets
from backend.runs.specification import RunSpecification


def built(**parts: Any) -> RunSpecification:
    return RunSpecification.model_validate({"dataset_id": 1, **parts})


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"modle": {}}, "Extra inputs are not permitted"),
        ({"model": {"backbone": "vgg16"}}, "Input should be 'resnet18'"),
        ({"training": {"iterations": 0}}, "greater than or equal to 1"),
        ({"training": {"lr": float("nan")}}, "less than or equal to 100"),
        ({"training": {"iterations": 10, "warmup": 11}}, "shorten the warm-up"),
        ({"training": {"warmup": 0, "iterations": 10, "milestones": [10]}}, "remove it or train longer"),
        ({"training": {"milestones": [5, 5]}}, "milestones must rise"),
        ({"training": {"trainable_stages": 3}}, "would freeze random weights"),
        ({"model": {"norm": "frozen_batch"}}, "take batch or group"),
        ({"model": {"norm": "group"}, "init": {"kind": "imagenet"}}, "no ImageNet weights with group norm"),
        ({"model": {"stride_in_1x1": True, "backbone": "resnet18"}}, "has no bottlenecks"),
        ({"model": {"stride_in_1x1": True}, "init": {"kind": "imagenet"}}, "turn model.stride_in_1x1 off"),
        ({"model": {"widths": {"fpn": 64}}, "init": {"kind": "imagenet"}}, "leave model.widths empty"),
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


def test_the_papers_presets_differ_in_their_first_weights_alone() -> None:
    pretrained, scratch = (preset.specification for preset in presets())
    differing = {key for key in pretrained if pretrained[key] != scratch[key]}
    assert differing == {"init", "tags"}
    for preset in presets():
        RunSpecification.model_validate({"dataset_id": 1, **preset.specification})
