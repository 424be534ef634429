"""What a detector found in a few validation images, small enough to be kept and drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from faster_coco_eval import mask as run_lengths

from backend.datasets.annotations import Annotation, Image
from backend.datasets.coco import CocoFile
from backend.measurements.records import PredictionRow
from worker.training.data import DetectionSet
from worker.training.detections import Detection
from worker.training.masks import decode_masks
from worker.training.outlines import outlines

IMAGES = 8
OBJECTS = 100
"""Kept of an image, as many as COCO's evaluation looks at: the best by score, and the first of the truth."""


def predictions(
    examples: DetectionSet, coco: CocoFile, found: Sequence[Detection]
) -> tuple[PredictionRow, ...]:
    """Return truth and detections of eight images spread evenly over the split, the same at each evaluation."""
    numbers = np.unique(np.linspace(0, len(examples) - 1, IMAGES).round().astype(int))
    entries = [examples.entry(int(number)) for number in numbers]
    by_image: dict[int, list[Detection]] = {entry.id: [] for entry in entries}
    for one in found:
        if one["image_id"] in by_image:
            by_image[one["image_id"]].append(one)
    return tuple(
        PredictionRow(
            entry.id,
            {
                "file_name": entry.file_name,
                "width": entry.width,
                "height": entry.height,
                "objects": sum(not a.iscrowd for a in coco.by_image[entry.id]),
                "truth": list(_truth(coco.by_image[entry.id], entry, examples.masks)),
                "found": [_found(one) for one in _best(by_image[entry.id])],
            },
        )
        for entry in entries
    )


def _best(found: Iterable[Detection]) -> list[Detection]:
    return sorted(found, key=lambda one: -one["score"])[:OBJECTS]


def _found(one: Detection) -> dict[str, Any]:
    outlined = {}
    if "segmentation" in one:
        outlined = {"outlines": outlines(run_lengths.decode(one["segmentation"]))}
    return _drawn(one["bbox"], one["category_id"]) | {"score": round(one["score"], 4)} | outlined


def _truth(annotations: Sequence[Annotation], entry: Image, masks: bool) -> Iterable[Mapping[str, Any]]:
    objects = [a for a in annotations if not a.iscrowd][:OBJECTS]
    decoded = decode_masks(objects, entry).numpy() if masks else None
    for number, annotation in enumerate(objects):
        outlined = {} if decoded is None else {"outlines": outlines(decoded[number])}
        yield _drawn(annotation.bbox, annotation.category_id) | outlined


def _drawn(box: Sequence[float], category_id: int) -> dict[str, Any]:
    return {"bbox": [round(value, 1) for value in box], "category_id": category_id}
