"""A dataset of any image size: noise with rectangles on it. What is in it changes no cost that is measured here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

CLASSES = 6
RECTANGLES = 5


def write_pictures(folder: Path, height: int, width: int, train: int, val: int) -> None:
    """Write `folder`/train.json, val.json and images/, as COCO has them."""
    (folder / "images").mkdir(parents=True)
    generator = np.random.default_rng(0)
    for split, count in (("train", train), ("val", val)):
        images = [
            {"id": k, "file_name": f"{split}_{k}.png", "height": height, "width": width}
            for k in range(1, count + 1)
        ]
        annotations: list[dict[str, Any]] = []
        for image in images:
            boxes = _draw(folder / "images" / str(image["file_name"]), height, width, generator)
            annotations += [
                {
                    "id": len(annotations) + k,
                    "image_id": image["id"],
                    "category_id": 1 + k % CLASSES,
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                }
                for k, box in enumerate(boxes, start=1)
            ]
        categories = [{"id": k, "name": f"class {k}"} for k in range(1, CLASSES + 1)]
        content = {"images": images, "annotations": annotations, "categories": categories}
        (folder / f"{split}.json").write_text(json.dumps(content), encoding="utf-8")


def _draw(file: Path, height: int, width: int, generator: np.random.Generator) -> list[list[int]]:
    """Write one image and return its rectangles: left, top, width, height."""
    pixels = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
    boxes = []
    for _ in range(RECTANGLES):
        across, down = (
            int(generator.integers(width // 8, width // 2)),
            int(generator.integers(height // 8, height // 2)),
        )
        left, top = int(generator.integers(0, width - across)), int(generator.integers(0, height - down))
        pixels[top : top + down, left : left + across] = generator.integers(0, 256, 3, dtype=np.uint8)
        boxes.append([left, top, across, down])
    PIL.Image.fromarray(pixels).save(file, compress_level=1)
    return boxes
