"""How good a model is on the validation split: COCO's average precision, or a classifier's accuracy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypedDict

import torch
from faster_coco_eval import COCO, COCOeval_faster
from torch import Tensor, nn

from backend.datasets.coco import CocoFile
from worker.probe.undisturbed import undisturbed
from worker.training.batches import validation_batches
from worker.training.data import CropSet, DetectionSet

UNDEFINED = -1.0
"""What COCO's evaluation gives where there is nothing to detect."""


class Detection(TypedDict):
    """One detection, as COCO's result files have it; `bbox` is left, top, width, height in pixels."""

    image_id: int
    category_id: int
    bbox: list[float]
    score: float


def evaluate(
    model: nn.Module,
    examples: DetectionSet | CropSet,
    coco: CocoFile,
    batch_size: int,
    check_stop: Callable[[], None],
) -> dict[str, float]:
    """Return `ap`, `ap50`, `ap75` of a detector or `top1` of a classifier, each 0 … 1 or NaN where undefined.

    In float32, without gradients; modes and random generators are afterwards what they were before. `check_stop`
    is called before each batch and may raise.
    """
    with undisturbed(model):
        if isinstance(examples, CropSet):
            return {"top1": _accuracy(model, examples, batch_size, check_stop)}
        found = detect(model, examples, coco, batch_size, check_stop)
    return average_precision(coco, found)


def detect(
    model: nn.Module,
    examples: DetectionSet,
    coco: CocoFile,
    batch_size: int,
    check_stop: Callable[[], None],
) -> list[Detection]:
    """Return what a detector in evaluation mode finds in all images, at most 100 objects in each."""
    category = {label: identity for identity, label in coco.labels.items()}
    found: list[Detection] = []
    for numbers, batch in _each_batch(model, examples, batch_size, check_stop):
        for number, output in zip(numbers, model(batch.images), strict=True):
            found += _detections(output, examples.entry(number).id, category)
    return found


def average_precision(coco: CocoFile, found: Sequence[Detection]) -> dict[str, float]:
    """Return COCO's AP over IoU 0.50 … 0.95, at 0.50 and at 0.75, for boxes, at most 100 detections an image."""
    truth = COCO(_as_coco(coco), print_function=_silent)
    judge = COCOeval_faster(truth, truth.loadRes(list(found)), "bbox", print_function=_silent)
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    names = ("ap", "ap50", "ap75")
    return {
        name: float("nan") if value == UNDEFINED else float(value)
        for name, value in zip(names, judge.stats[: len(names)], strict=True)
    }


def _accuracy(model: nn.Module, examples: CropSet, batch_size: int, check_stop: Callable[[], None]) -> float:
    right = 0
    for _, batch in _each_batch(model, examples, batch_size, check_stop):
        labels = torch.stack([target["label"] for target in batch.targets])
        right += int((model(batch.images).argmax(1) == labels).sum())
    return right / len(examples)


def _each_batch(
    model: nn.Module, examples: DetectionSet | CropSet, batch_size: int, check_stop: Callable[[], None]
) -> Any:
    device = next(model.parameters()).device
    for numbers, batch in validation_batches(examples, batch_size, device):
        check_stop()
        yield numbers, batch


def _detections(output: dict[str, Tensor], image_id: int, category: dict[int, int]) -> list[Detection]:
    boxes = output["boxes"].clone()
    boxes[:, 2:] -= boxes[:, :2]
    rows = zip(boxes.tolist(), output["labels"].tolist(), output["scores"].tolist(), strict=True)
    return [
        Detection(image_id=image_id, category_id=category[label], bbox=box, score=score)
        for box, label, score in rows
    ]


def _as_coco(coco: CocoFile) -> dict[str, list[dict[str, Any]]]:
    annotations = [
        {
            "id": number,
            "image_id": a.image_id,
            "category_id": a.category_id,
            "bbox": list(a.bbox),
            "area": a.area,
            "iscrowd": int(a.iscrowd),
        }
        # COCO's evaluation takes an annotation numbered 0 for none at all.
        for number, a in enumerate(coco.annotations, start=1)
    ]
    return {
        "images": [image._asdict() for image in coco.images],
        "annotations": annotations,
        "categories": [c._asdict() for c in coco.categories],
    }


def _silent(*_words: object) -> None:
    """Print nothing."""
