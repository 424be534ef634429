"""`eigenscope datasets`: every kind of files, one at a time; what was checked is shown as numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from backend.database import Database
from backend.datasets import service
from eigenscope.instance import read_settings

Call = Callable[..., Any]
VOC = """<annotation><size><width>40</width><height>30</height></size><object><name>cell</name>
<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>40</xmax><ymax>30</ymax></bndbox></object></annotation>"""


@pytest.fixture
def files(home: Path) -> Path:
    """Write one image as COCO (a folder for each split), as Pascal VOC and in class folders."""
    for folder in (
        "coco/train2017",
        "coco/val2017",
        "voc/JPEGImages",
        "sorted/train/cell",
        "sorted/val/cell",
    ):
        (home / folder).mkdir(parents=True)
        Image.new("L", (40, 30), 90).save(home / folder / "a.png")
    for folder in ("voc/Annotations", "voc/ImageSets/Main"):
        (home / folder).mkdir(parents=True)
    (home / "voc/Annotations/a.xml").write_text(VOC)
    for name in ("train", "val", "trainval"):
        (home / f"voc/ImageSets/Main/{name}.txt").write_text("a\n")
    box = {"id": 1, "image_id": 1, "category_id": 7, "bbox": [4, 4, 10, 12], "area": 120}
    for split in ("train", "val"):
        content = {
            "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}],
            "annotations": [box, box | {"id": 2, "bbox": [4, 4, 0, 12]}],
            "categories": [{"id": 7, "name": "cell"}],
        }
        (home / f"coco/instances_{split}2017.json").write_text(json.dumps(content))
    return home


def coco(files: Path, images: Path | None = None) -> tuple[object, ...]:
    train, val = (files / "coco" / f"instances_{split}2017.json" for split in ("train", "val"))
    return ("--train", train, "--val", val, "--images", images or files / "coco")


def test_coco_is_shown_with_its_numbers(eigenscope: Call, files: Path) -> None:
    added = eigenscope("datasets", "add", "coco", *coco(files))
    assert added.status == 0, added.err
    assert added.out == eigenscope("datasets", "show", "coco").out
    for line in (
        "note: coco/instances_train2017.json: left out 1 box of zero width or height (annotation 2)",
        "images 1 1",
        "objects 1 1",
        "per image, mean 1.0 1.0",
        "small (area < 32²) 1 (100 %) 1 (100 %)",
        "large (area ≥ 96²) 0 (0 %) 0 (0 %)",
        "most frequent size 40 x 30 (1) 40 x 30 (1)",
        "11 – 14 100.0 % 100.0 % ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇",
        "cell 1 1 1",
    ):
        assert line in [" ".join(shown.split()) for shown in added.out.splitlines()], line
    shown = json.loads(eigenscope("datasets", "show", "coco", "--json").out)
    assert shown["val_images"] == str(files / "coco" / "val2017")
    assert shown["statistics"]["splits"]["train"]["objects"] == 1
    assert "statistics" not in json.loads(eigenscope("datasets", "list", "--json").out)[0]


def test_the_validation_images_can_be_named(eigenscope: Call, files: Path) -> None:
    folders = (files / "coco" / "train2017", "--val-images", files / "coco" / "val2017")
    added = eigenscope("datasets", "add", "coco", *coco(files)[:-1], *folders, "--json")
    assert added.status == 0, added.err
    assert json.loads(added.out)["images"] == str(files / "coco" / "train2017")


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (("--voc", "voc"), "voc"),
        (("--voc", "voc", "--train-set", "trainval"), "voc"),
        (("--folders", "sorted"), "folders"),
        (("--train", "sorted/train", "--val", "sorted/val"), "folders"),
    ],
)
def test_other_formats_are_converted(
    eigenscope: Call, files: Path, options: tuple[str, ...], kind: str
) -> None:
    added = eigenscope("datasets", "add", "other", *options, "--json")
    assert added.status == 0, added.err
    told = json.loads(added.out)
    assert (told["kind"], told["counts"]["train"]) == (kind, {"images": 1, "annotations": 1})
    assert Path(told["train"]).is_relative_to(read_settings().generated)
    assert eigenscope("datasets", "delete", "other").status == 0
    assert list(read_settings().generated.iterdir()) == []


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--voc", "voc", "--folders", "sorted"),
        ("--voc", "voc", "--images", "coco"),
        ("--folders", "sorted", "--train", "sorted/train"),
        ("--train", "coco/instances_train2017.json", "--val", "coco/instances_val2017.json"),
        ("--train", "sorted/train"),
        ("--folders", "sorted", "--voc", "voc", "--val-set", "test"),
    ],
)
def test_files_of_no_kind_or_of_two_are_wrong_use(
    eigenscope: Call, files: Path, options: tuple[str, ...]
) -> None:
    refused = eigenscope("datasets", "add", "unclear", *options)
    assert refused.status == 2
    words = re.sub(r"\W+", " ", refused.err)
    assert "train val and images COCO voc ROOT or folders ROOT" in words


def test_lists_without_voc_are_wrong_use(eigenscope: Call, files: Path) -> None:
    refused = eigenscope("datasets", "add", "coco", *coco(files), "--val-set", "test")
    assert refused.status == 2
    assert "name lists of" in refused.err


def test_a_dataset_of_before_gets_its_numbers_by_a_check(eigenscope: Call, files: Path) -> None:
    eigenscope("datasets", "add", "coco", *coco(files))
    database = Database(read_settings().database)
    with database.writing() as session:
        service.get(session, 1).statistics = None
    database.dispose()
    shown = eigenscope("datasets", "show", "coco")
    assert "`eigenscope datasets check 1` adds them" in shown.err
    assert "objects" not in shown.out
    checked = eigenscope("datasets", "check", "coco")
    assert checked.status == 0, checked.err
    assert "objects by size" in checked.out
    assert checked.out == eigenscope("datasets", "show", 1).out


def test_a_check_names_what_is_wrong_by_now(eigenscope: Call, files: Path) -> None:
    eigenscope("datasets", "add", "coco", *coco(files))
    (files / "coco" / "val2017" / "a.png").unlink()
    checked = eigenscope("datasets", "check", "coco")
    assert checked.status == 2
    assert "image 1 (a.png) is missing" in checked.err
