"""Masks of every form that COCO files hold, in the targets that Mask R-CNN trains on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Picture
from pycocotools import mask as reference

from backend.datasets.coco import CocoFile, read_coco
from backend.errors import InvalidInput
from worker.training.data import DetectionSet, example_set
from worker.training.examples import View

HEIGHT, WIDTH = 20, 30
BOX = [4, 3, 12, 9]
POLYGONS = [[4, 3, 16, 3, 16, 12, 4, 12.0], [20, 15, 24.5, 15, 22, 18.5]]


def inside() -> np.ndarray:
    """The pixels of BOX."""
    left, top, width, height = BOX
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    pixels[top : top + height, left : left + width] = 1
    return pixels


def counts_of(pixels: np.ndarray) -> list[int]:
    """Run lengths down the columns, the first of zeros."""
    flat = pixels.flatten(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *edges, flat.size]).tolist()
    return [0, *runs] if flat[0] else runs


def compressed(pixels: np.ndarray) -> str:
    text: bytes = reference.encode(np.asfortranarray(pixels))["counts"]
    return text.decode("ascii")


def dataset(folder: Path, segmentations: list[Any], **crowd: Any) -> CocoFile:
    Picture.fromarray(np.zeros((HEIGHT, WIDTH, 3), np.uint8)).save(folder / "one.png")
    Picture.fromarray(np.zeros((HEIGHT, WIDTH, 3), np.uint8)).save(folder / "empty.png")
    annotations = [
        {"id": number, "image_id": 5, "category_id": 1, "bbox": BOX, "segmentation": mask}
        for number, mask in enumerate(segmentations, start=11)
    ]
    if crowd:
        annotations.append({"id": 99, "image_id": 5, "category_id": 1, "bbox": BOX, "iscrowd": 1} | crowd)
    content = {
        "images": [
            {"id": 5, "file_name": "one.png", "width": WIDTH, "height": HEIGHT},
            {"id": 8, "file_name": "empty.png", "width": WIDTH, "height": HEIGHT},
        ],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "thing"}],
    }
    (folder / "coco.json").write_text(json.dumps(content))
    return read_coco(folder / "coco.json")


def mask_set(coco: CocoFile) -> DetectionSet:
    examples = example_set("mask_rcnn", coco, coco.path.parent, 32)
    assert isinstance(examples, DetectionSet)
    return examples


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own
def test_every_form_of_mask_is_decoded(tmp_path: Path) -> None:
    size = [HEIGHT, WIDTH]
    forms = [
        POLYGONS,
        {"size": size, "counts": counts_of(inside())},
        {"size": size, "counts": compressed(inside())},
    ]
    target = mask_set(dataset(tmp_path, forms, segmentation=forms[1])).read(0).target
    masks = target["masks"]
    assert (masks.dtype, masks.shape) == (torch.uint8, (3, HEIGHT, WIDTH))
    assert masks.is_contiguous()
    drawn = reference.decode(reference.merge(reference.frPyObjects(POLYGONS, HEIGHT, WIDTH)))
    for mask, expected in zip(masks, (drawn, inside(), inside()), strict=True):
        assert np.array_equal(mask.numpy(), expected)
    assert len(target["boxes"]) == len(target["labels"]) == 3


def test_masks_are_mirrored_with_the_image(tmp_path: Path) -> None:
    examples = mask_set(dataset(tmp_path, [POLYGONS]))
    plain, mirrored = examples.read(0), examples.read(0, View(flip=True))
    assert torch.equal(mirrored.target["masks"], plain.target["masks"].flip(-1))
    assert not torch.equal(mirrored.target["masks"], plain.target["masks"])
    x0, y0, x1, y1 = mirrored.target["boxes"][0].tolist()
    assert (x0, y0, x1, y1) == (WIDTH - 16, 3, WIDTH - 4, 12)


def test_an_image_without_objects_has_no_masks(tmp_path: Path) -> None:
    assert mask_set(dataset(tmp_path, [POLYGONS])).read(1).target["masks"].shape == (0, HEIGHT, WIDTH)


def test_other_detectors_have_no_masks(tmp_path: Path) -> None:
    coco = dataset(tmp_path, [POLYGONS])
    assert set(example_set("faster_rcnn", coco, tmp_path, 32).read(0).target) == {"boxes", "labels"}


def test_an_object_without_a_mask_is_refused(tmp_path: Path) -> None:
    coco = dataset(tmp_path, [POLYGONS, None, []], area=10)
    with pytest.raises(
        InvalidInput, match=r"coco.json: 2 of 3 objects have no mask, .* annotation 12 of image 5"
    ):
        mask_set(coco)
    assert len(example_set("retinanet", coco, tmp_path, 32)) == 2


@pytest.mark.parametrize(
    "counts", [[0, HEIGHT * WIDTH + 1], [HEIGHT * WIDTH - 1], [0.5, HEIGHT * WIDTH], "zz", "\x00"]
)
def test_masks_that_do_not_decode_are_named(tmp_path: Path, counts: Any) -> None:
    coco = dataset(tmp_path, [POLYGONS, {"size": [HEIGHT, WIDTH], "counts": counts}])
    with pytest.raises(InvalidInput, match=r"annotation 12 of image 5 \(one.png\) has a mask that cannot be"):
        mask_set(coco).read(0)
