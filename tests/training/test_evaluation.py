"""COCO's AP against pycocotools on the same detections; and a model that is as before."""

from __future__ import annotations

import contextlib
import io
import math
import random
from pathlib import Path

import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from backend.datasets.coco import CocoFile
from backend.runs.specification import ModelSpecification
from worker.training.data import CropSet, DetectionSet
from worker.training.detectors import build_model
from worker.training.evaluation import Detection, average_precision, evaluate
from worker.training.freezing import freeze, train_mode
from worker.training.stopping import StopFlag, StopRequested

NARROW = {"layer4": 16, "layer4.0.conv1": 8, "layer4.1.conv1": 8}


def guesses(truth: CocoFile, seed: int) -> list[Detection]:
    """Detections near the true boxes, some with the wrong class, some of nothing."""
    draw = random.Random(seed)
    categories = [category.id for category in truth.categories]
    found: list[Detection] = []
    for annotation in truth.annotations:
        for _ in range(draw.randint(0, 3)):
            box = [value + draw.gauss(0, 0.08) * annotation.bbox[2] for value in annotation.bbox]
            category = annotation.category_id if draw.random() < 0.8 else draw.choice(categories)
            found.append(
                Detection(image_id=annotation.image_id, category_id=category, bbox=box, score=draw.random())
            )
    return found


def by_pycocotools(truth: CocoFile, found: list[Detection]) -> list[float]:
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO(str(truth.path))
        judge = COCOeval(reference, reference.loadRes([dict(detection) for detection in found]), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return [float(value) for value in judge.stats[:3]]


@pytest.mark.parametrize("seed", range(4))
def test_equals_pycocotools(coco: CocoFile, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    found = guesses(coco, seed)
    result = average_precision(coco, found)
    assert capsys.readouterr().out == ""
    assert list(result) == ["ap", "ap50", "ap75"]
    assert list(result.values()) == pytest.approx(by_pycocotools(coco, found), abs=1e-12)
    assert 0.05 < result["ap"] < result["ap50"]


def test_finding_nothing_is_zero_and_finding_all_is_one(truth: CocoFile) -> None:
    assert average_precision(truth, []) == {"ap": 0.0, "ap50": 0.0, "ap75": 0.0}
    exact = [
        Detection(image_id=a.image_id, category_id=a.category_id, bbox=list(a.bbox), score=0.9)
        for a in truth.annotations
    ]
    assert average_precision(truth, exact)["ap"] == pytest.approx(1.0)


def test_nothing_to_find_is_undefined(truth: CocoFile) -> None:
    empty = CocoFile(truth.path, truth.categories, truth.images, ())
    assert all(math.isnan(value) for value in average_precision(empty, []).values())


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
    assert all(0 <= value <= 1 for value in result.values())
    assert list(result) == (["ap", "ap50", "ap75"] if architecture == "faster_rcnn" else ["top1"])
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
