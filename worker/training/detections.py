"""What a detector finds, as COCO's result files have it."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

import numpy as np
from faster_coco_eval import mask as run_lengths
from torch import Tensor

MASK_THRESHOLD = 0.5
"""Probability above which a pixel is the object's, as in Mask R-CNN (He et al. 2017, §3.1)."""


class Detection(TypedDict):
    """One detection; `bbox` is left, top, width, height in pixels, `segmentation` its mask's compressed run lengths."""

    image_id: int
    category_id: int
    bbox: list[float]
    score: float
    segmentation: NotRequired[dict[str, Any]]


def detections(output: dict[str, Tensor], image_id: int, category: dict[int, int]) -> list[Detection]:
    """Return a torchvision detector's output for one image; `category` maps its labels to ids.

    Masks become run lengths here: of COCO's 5,000 images, 100 each would take some 600 GB as pixels.
    """
    boxes = output["boxes"].clone()
    boxes[:, 2:] -= boxes[:, :2]
    rows = zip(boxes.tolist(), output["labels"].tolist(), output["scores"].tolist(), strict=True)
    found = [
        Detection(image_id=image_id, category_id=category[label], bbox=box, score=score)
        for box, label, score in rows
    ]
    if "masks" in output and found:
        for one, mask in zip(found, _run_lengths(output["masks"]), strict=True):
            one["segmentation"] = mask
    return found


def _run_lengths(masks: Tensor) -> list[dict[str, Any]]:
    """Return probabilities (N, 1, H, W) as run lengths, which go down the columns."""
    columns = (masks[:, 0] > MASK_THRESHOLD).byte().transpose(1, 2).contiguous().cpu().numpy()
    encoded: list[dict[str, Any]] = run_lengths.encode(np.asfortranarray(columns.transpose(2, 1, 0)))
    return encoded
