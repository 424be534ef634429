"""COCO 2017 as it is downloaded: bare file names in a folder for each split, and the quirks of its annotations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from backend.database import Database
from backend.datasets import registration, service
from backend.datasets.inspection import inspect_coco
from backend.errors import InvalidInput

IDS = [number for number in range(1, 91) if number not in (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)]
"""COCO's 80 category ids."""


def annotation(number: int, image: int, box: list[float], **more: Any) -> dict[str, Any]:
    left, top, width, height = box
    corners = [left, top, left + width, top, left + width, top + height]
    area = width * height / 2
    return {
        "id": number,
        "image_id": image,
        "category_id": IDS[number % 80],
        "bbox": box,
        "area": area,
        "iscrowd": 0,
        "segmentation": [corners],
        **more,
    }


def content(split: str) -> dict[str, Any]:
    images = [
        {"id": number, "file_name": f"{number:012d}.jpg", "width": width, "height": height, "license": 3}
        for number, width, height in ((391895, 64, 36), (522418, 48, 64), (184613, 50, 33))
    ]
    crowd = {"counts": [20, 64 * 48 - 20], "size": [64, 48]}
    annotations = [
        annotation(1768, 391895, [3.59, 2.47, 30.87, 33.54]),
        annotation(900100, 522418, [0.0, 0.0, 48.0, 64.0], iscrowd=1, segmentation=crowd, area=3052),
        annotation(
            2096753, 522418, [29.66, 38.83, 10.3, 0.0] if split == "train" else [29.66, 38.83, 10.3, 1.0]
        ),
    ]
    categories = [{"supercategory": "thing", "id": number, "name": f"class {number}"} for number in IDS]
    return {
        "info": {},
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": categories,
    }


@pytest.fixture
def coco2017(tmp_path: Path) -> Path:
    root = tmp_path / "coco"
    (root / "annotations").mkdir(parents=True)
    for split in ("train", "val"):
        (root / f"{split}2017").mkdir()
        written = content(split)
        (root / "annotations" / f"instances_{split}2017.json").write_text(json.dumps(written))
        for image in written["images"]:
            size = (image["width"], image["height"])
            PIL.Image.new("RGB", size, (80, 90, 100)).save(root / f"{split}2017" / image["file_name"])
    return root


def files(root: Path) -> tuple[Path, Path]:
    folder = root / "annotations"
    return folder / "instances_train2017.json", folder / "instances_val2017.json"


def test_it_registers_with_one_folder_named(coco2017: Path, database: Database) -> None:
    found = registration.register_coco(database, "coco", *files(coco2017), coco2017)
    assert len(found.categories) == 80
    assert found.categories[11] == {"id": 13, "name": "class 13"}
    assert found.has_masks
    assert found.counts == {"train": {"images": 3, "annotations": 2}, "val": {"images": 3, "annotations": 3}}
    assert Path(found.images_of("train")) == coco2017 / "train2017"
    assert Path(found.images_of("val")) == coco2017 / "val2017"
    with database.reading() as session:
        for split in ("train", "val"):
            image = service.image_file(session, found.id, split, 184613)
            assert image == coco2017 / f"{split}2017" / "000000184613.jpg"


def test_the_box_without_height_is_left_out_and_told(coco2017: Path) -> None:
    found = inspect_coco(*files(coco2017), coco2017).statistics
    assert found.notes == [
        "annotations/instances_train2017.json: left out 1 box of zero width or height (annotation 2096753)"
    ]
    assert found.splits["train"].left_out == 1
    assert found.splits["train"].images_without_objects == 2
    assert found.splits["train"].crowds == 1


def test_each_folder_can_be_named(coco2017: Path) -> None:
    found = inspect_coco(*files(coco2017), coco2017 / "train2017", val_images=coco2017 / "val2017")
    assert (found.images, found.val_images) == (coco2017 / "train2017", coco2017 / "val2017")


def test_names_with_their_folder_are_found_in_the_root(coco2017: Path) -> None:
    for split, file in zip(("train", "val"), files(coco2017), strict=True):
        written = content(split)
        for image in written["images"]:
            image["file_name"] = f"{split}2017/{image['file_name']}"
        file.write_text(json.dumps(written))
    found = inspect_coco(*files(coco2017), coco2017)
    assert found.images == found.val_images == coco2017


def test_the_other_splits_folder_is_not_taken(coco2017: Path) -> None:
    for image in (coco2017 / "val2017").iterdir():
        image.unlink()
    with pytest.raises(InvalidInput, match="3 problems") as caught:
        inspect_coco(*files(coco2017), coco2017)
    assert "image 391895 (000000391895.jpg) is missing in the folder" in str(caught.value)


def test_a_folder_whose_name_only_ends_alike_is_not_taken(coco2017: Path) -> None:
    (coco2017 / "val2017").rename(coco2017 / "al2017")
    with pytest.raises(InvalidInput, match="is missing in the folder"):
        inspect_coco(*files(coco2017), coco2017)


def test_a_missing_folder_of_validation_images_is_named(coco2017: Path) -> None:
    with pytest.raises(InvalidInput, match="coco/nowhere is no folder"):
        inspect_coco(*files(coco2017), coco2017, val_images=coco2017 / "nowhere")
