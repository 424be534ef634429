"""Evaluating a model: what it answers, and that the model is afterwards as before."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from backend.datasets.coco import CocoFile
from backend.runs.specification import ModelSpecification
from worker.training.data import CropSet, DetectionSet
from worker.training.detectors import build_model
from worker.training.evaluation import evaluate
from worker.training.freezing import freeze, train_mode
from worker.training.stopping import StopFlag, StopRequested

NARROW = {"layer4": 16, "layer4.0.conv1": 8, "layer4.1.conv1": 8}


@pytest.mark.parametrize("architecture", ["faster_rcnn", "classifier"])
def test_model_and_generators_are_as_before(truth: CocoFile, shapes: Path, architecture: str) -> None:
    widths = NARROW | ({"fpn": 8, "box_head": 16} if architecture == "faster_rcnn" else {})
    model = build_model(
        ModelSpecification(architecture=architecture, backbone="resnet18", widths=widths),
        len(truth.categories),
        64,
    )
    freeze(model, 3)
    train_mode(model)
    modes = {name: module.training for name, module in model.named_modules()}
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    drawn = torch.get_rng_state()
    folder = shapes / "images"
    examples = DetectionSet(truth, folder) if architecture == "faster_rcnn" else CropSet(truth, folder, 64)
    asked: list[None] = []
    result = evaluate(model, examples, truth, 2, lambda: asked.append(None))
    assert all(0 <= value <= 1 for value in result.summary.values())
    assert list(result.summary) == (["ap", "ap50"] if architecture == "faster_rcnn" else ["top1"])
    assert len(asked) == math.ceil(len(examples) / 2)
    assert {name: module.training for name, module in model.named_modules()} == modes
    assert any(modes.values())
    assert not all(modes.values())
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), drawn)


def test_stops_between_batches(truth: CocoFile, shapes: Path) -> None:
    widths = NARROW | {"fpn": 8, "box_head": 16}
    model = build_model(ModelSpecification(backbone="resnet18", widths=widths), len(truth.categories), 64)
    stop = StopFlag()
    stop.request()
    with pytest.raises(StopRequested):
        evaluate(model, DetectionSet(truth, shapes / "images"), truth, 2, stop.check)
    assert model.training
