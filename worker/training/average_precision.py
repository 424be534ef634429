"""COCO's average precision of boxes and masks (Lin et al. 2014; https://cocodataset.org/#detection-eval)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from numpy.typing import NDArray

from backend.datasets.annotations import Annotation
from backend.datasets.coco import Category, CocoFile
from worker.training.detections import Detection

Kind = Literal["bbox", "segm"]
PREFIX: dict[Kind, str] = {"bbox": "", "segm": "mask_"}

UNDEFINED = -1.0
"""What COCO's evaluation gives where there is nothing to detect."""
AREAS = {"": 0, "_small": 1, "_medium": 2, "_large": 3}
"""Suffix of a metric's name -> place of its areas (all, below 32², to 96², above) in the evaluation's table."""
OVERLAPS = {"50": 0, "75": 5}
"""Suffix -> place of one IoU among 0.50, 0.55 … 0.95."""
NAME_LENGTH = 80
"""Of a category in a metric's name."""


def average_precision(coco: CocoFile, found: Sequence[Detection], masks: bool = False) -> dict[str, float]:
    """Return how well `found` fits the truth, at most 100 detections an image; NaN where nothing is to be found.

    `ap` over IoU 0.50 … 0.95, `ap50` and `ap75` at one IoU, `ap_small`, `ap_medium` and `ap_large` by the object's
    area, and `ap/NAME` of each category; with `masks` also the same of the masks, as `mask_ap` and so on.
    """
    truth = COCO(_as_coco(coco, masks), print_function=_silent)
    names = category_names(coco.categories)
    kinds: tuple[Kind, ...] = ("bbox", "segm") if masks else ("bbox",)
    return {
        f"{PREFIX[kind]}{name}": value
        for kind in kinds
        for name, value in _summary(_precision(truth, found, kind), names).items()
    }


def category_names(categories: Sequence[Category]) -> list[str]:
    """Return a name for each category that no other has: its own, cut short, with its id where another has the same."""
    short = [category.name[:NAME_LENGTH] for category in categories]
    shared = Counter(short)
    return [
        f"{name} ({category.id})" if shared[name] > 1 else name
        for name, category in zip(short, categories, strict=True)
    ]


def _precision(truth: COCO, found: Sequence[Detection], kind: Kind) -> NDArray[np.float64]:
    """Return precision by IoU, recall, category and area, at 100 detections an image."""
    # A mask's own area decides its size, and COCO's evaluation takes the box's where there is one.
    left_out = "segmentation" if kind == "bbox" else "bbox"
    results = [{key: value for key, value in one.items() if key != left_out} for one in found]
    judge = COCOeval_faster(truth, truth.loadRes(results), kind, print_function=_silent)
    judge.evaluate()
    judge.accumulate()
    precision: NDArray[np.float64] = np.asarray(judge.eval["precision"])[..., -1]
    return precision


def _summary(precision: NDArray[np.float64], names: Sequence[str]) -> dict[str, float]:
    overall = {f"ap{suffix}": _mean(precision[place, :, :, 0]) for suffix, place in OVERLAPS.items()}
    by_area = {f"ap{suffix}": _mean(precision[..., place]) for suffix, place in AREAS.items()}
    by_category = {f"ap/{name}": _mean(precision[:, :, k, 0]) for k, name in enumerate(names)}
    return {"ap": by_area.pop("ap"), **overall, **by_area, **by_category}


def _mean(values: NDArray[np.float64]) -> float:
    defined = values[values > UNDEFINED]
    return float(defined.mean()) if defined.size else float("nan")


def _as_coco(coco: CocoFile, masks: bool) -> dict[str, list[dict[str, Any]]]:
    annotations = [
        {
            "id": number,
            "image_id": a.image_id,
            "category_id": a.category_id,
            "bbox": list(a.bbox),
            "area": a.area,
            "iscrowd": int(a.iscrowd),
            **({"segmentation": a.segmentation or _box_outline(a)} if masks else {}),
        }
        # COCO's evaluation takes an annotation numbered 0 for none at all.
        for number, a in enumerate(coco.annotations, start=1)
    ]
    return {
        "images": [image._asdict() for image in coco.images],
        "annotations": annotations,
        "categories": [c._asdict() for c in coco.categories],
    }


def _box_outline(annotation: Annotation) -> list[list[float]]:
    """Return the outline of a crowd that has no mask: what is found in its box is neither right nor wrong."""
    left, top, width, height = annotation.bbox
    return [[left, top, left + width, top, left + width, top + height, left, top + height]]


def _silent(*_words: object) -> None:
    """Print nothing."""
