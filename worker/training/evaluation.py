"""How good a model is on the validation split: COCO's average precision, or a classifier's accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import isfinite, nan
from typing import NamedTuple

import torch
from torch import nn

from backend.datasets.coco import CocoFile
from backend.measurements.records import PredictionRow
from worker.probe.undisturbed import undisturbed
from worker.training.average_precision import average_precision
from worker.training.batches import Batch, validation_batches
from worker.training.data import CropSet, DetectionSet
from worker.training.detections import Detection, detections
from worker.training.predictions import predictions

SUMMARY = ("ap", "ap50", "mask_ap", "top1")


class Evaluation(NamedTuple):
    """`metrics` by name, each 0 … 1 or NaN where undefined; `predictions` for people to look at."""

    metrics: dict[str, float]
    predictions: Sequence[PredictionRow]

    @property
    def summary(self) -> dict[str, float]:
        """The few that stand for the run, where defined."""
        return {name: self.metrics[name] for name in SUMMARY if isfinite(self.metrics.get(name, nan))}


def evaluate(
    model: nn.Module,
    examples: DetectionSet | CropSet,
    coco: CocoFile,
    batch_size: int,
    check_stop: Callable[[], None],
) -> Evaluation:
    """Return the average precisions of a detector (see `average_precision`), or `top1` of a classifier.

    In float32, without gradients; modes and random generators are afterwards what they were before. `check_stop`
    is called before each batch and may raise.
    """
    with undisturbed(model):
        if isinstance(examples, CropSet):
            return Evaluation({"top1": _accuracy(model, examples, batch_size, check_stop)}, ())
        found = detect(model, examples, coco, batch_size, check_stop)
    return Evaluation(average_precision(coco, found, examples.masks), predictions(examples, coco, found))


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
    # A hundred masks of an image of 800 x 1333 pixels are 430 MB before they are run lengths.
    at_once = 1 if examples.masks else batch_size
    for numbers, batch in _each_batch(model, examples, at_once, check_stop):
        for number, output in zip(numbers, model(batch.images), strict=True):
            found += detections(output, examples.entry(number).id, category)
    return found


def _accuracy(model: nn.Module, examples: CropSet, batch_size: int, check_stop: Callable[[], None]) -> float:
    right = 0
    for _, batch in _each_batch(model, examples, batch_size, check_stop):
        labels = torch.stack([target["label"] for target in batch.targets])
        right += int((model(batch.images).argmax(1) == labels).sum())
    return right / len(examples)


def _each_batch(
    model: nn.Module, examples: DetectionSet | CropSet, batch_size: int, check_stop: Callable[[], None]
) -> Iterator[tuple[range, Batch]]:
    device = next(model.parameters()).device
    for numbers, batch in validation_batches(examples, batch_size, device):
        check_stop()
        yield numbers, batch
