"""Examples as models see them: boxes, labels, crops, and files that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from backend.datasets.coco import CocoFile, read_coco
from backend.errors import InvalidInput
from worker.training.data import CropSet, DetectionSet, ProbeImages, example_set
from worker.training.examples import View


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """Two images: one with a box that reaches over the edge and a crowd, one without annotations."""
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[5:15, 20:30] = (200, 100, 50)
    Image.fromarray(pixels).save(tmp_path / "b.png")
    Image.fromarray(np.full((8, 8), 7, np.uint8)).save(tmp_path / "a.png")
    write(
        tmp_path,
        [
            {"id": 1, "image_id": 9, "category_id": 40, "bbox": [19.5, 5, 11, 10]},
            {"id": 2, "image_id": 9, "category_id": 40, "bbox": [0, 0, 30, 20], "iscrowd": 1},
            {"id": 3, "image_id": 9, "category_id": 7, "bbox": [21, 6, 4, 8]},
        ],
    )
    return tmp_path


def write(folder: Path, annotations: list[dict[str, Any]]) -> None:
    content = {
        "images": [
            {"id": 9, "file_name": "b.png", "width": 30, "height": 20},
            {"id": 4, "file_name": "a.png", "width": 8, "height": 8},
        ],
        "annotations": annotations,
        "categories": [{"id": 40, "name": "late"}, {"id": 7, "name": "early"}],
    }
    (folder / "coco.json").write_text(json.dumps(content))


def read(folder: Path) -> CocoFile:
    return read_coco(folder / "coco.json")


def test_boxes_are_clipped_and_labels_contiguous(scene: Path) -> None:
    examples = DetectionSet(read(scene), scene)
    assert [examples.entry(number).id for number in range(len(examples))] == [4, 9]
    example = examples.read(1)
    assert (example.image.dtype, example.image.shape) == (torch.uint8, (3, 20, 30))
    assert example.target["boxes"].tolist() == [[19.5, 5, 30, 15], [21, 6, 25, 14]]
    assert example.target["labels"].tolist() == [2, 1]


def test_mirroring_moves_boxes_with_the_image(scene: Path) -> None:
    examples = DetectionSet(read(scene), scene)
    plain, mirrored = examples.read(1), examples.read(1, View(flip=True))
    assert torch.equal(mirrored.image, plain.image.flip(-1))
    assert mirrored.target["boxes"].tolist() == [[0, 5, 10.5, 15], [5, 6, 9, 14]]
    assert torch.equal(examples.read(1).image, plain.image)


def test_an_image_without_annotations_stays(scene: Path) -> None:
    example = DetectionSet(read(scene), scene).read(0)
    assert example.image.shape == (3, 8, 8)
    assert example.image.unique().tolist() == [7]
    assert example.target["boxes"].shape == (0, 4)
    assert example.target["labels"].dtype == torch.int64


def test_crops_hold_the_object_and_are_square(scene: Path) -> None:
    crops = CropSet(read(scene), scene, 32)
    assert len(crops) == 2
    example = crops.read(0)
    assert (example.image.shape, example.target["label"].item()) == ((3, 32, 32), 1)
    # The window of 13 pixels around the box of 11 is moved into the image: 17 … 30, and the object is from 20 on.
    assert example.image[0, 16, 10:].unique().tolist() == [200]
    assert example.image[0, 16, :5].unique().tolist() == [0]


def test_probe_images_are_the_first_by_id_in_0_to_1(scene: Path) -> None:
    images = ProbeImages(DetectionSet(read(scene), scene), 64)
    assert len(images) == 2
    assert len(ProbeImages(DetectionSet(read(scene), scene), 1)[:]) == 1
    with pytest.raises(IndexError):
        images[2]
    assert [tuple(image.shape) for image in images] == [(3, 8, 8), (3, 20, 30)]
    assert images[0].max().item() == pytest.approx(7 / 255)


def test_a_file_without_objects_is_refused(scene: Path) -> None:
    write(scene, [])
    for architecture in ("faster_rcnn", "classifier"):
        with pytest.raises(InvalidInput, match="holds no annotated object; take a dataset with annotations"):
            example_set(architecture, read(scene), scene, 32)


def test_unusable_images_are_named(scene: Path) -> None:
    (scene / "a.png").unlink()
    with pytest.raises(InvalidInput, match=r"image a.png cannot be read .*restore it"):
        DetectionSet(read(scene), scene).read(0)
    (scene / "a.png").write_text("no picture")
    with pytest.raises(InvalidInput, match=r"image a.png cannot be read"):
        DetectionSet(read(scene), scene).read(0)
    Image.fromarray(np.zeros((8, 9), np.uint8)).save(scene / "a.png")
    with pytest.raises(InvalidInput, match=r"a.png has 9 x 8 pixels, but its annotation file says 8 x 8"):
        DetectionSet(read(scene), scene).read(0)
    Image.fromarray(np.full((8, 8), 3000, np.uint16)).save(scene / "a.png")
    with pytest.raises(InvalidInput, match=r"a.png has more than 8 bits a channel; convert it"):
        DetectionSet(read(scene), scene).read(0)


def test_images_are_kept_only_where_all_fit(scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = DetectionSet(read(scene), scene)
    assert kept.in_memory
    assert kept.read(1).image is kept.read(1).image
    monkeypatch.setattr("worker.training.images.MEMORY_BYTES", 3 * (30 * 20 + 8 * 8) - 1)
    assert not DetectionSet(read(scene), scene).in_memory
