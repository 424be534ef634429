"""Datasets over HTTP: registered below the data root only, told with statistics, refused where they do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from fastapi.testclient import TestClient

from backend.database import Database
from backend.models import Dataset
from backend.runs.specification import RunSpecification
from backend.settings import Settings

VOC = """<annotation><size><width>40</width><height>30</height></size><object><name>dog</name><difficult>0</difficult>
<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>10</xmax><ymax>20</ymax></bndbox></object></annotation>"""


@pytest.fixture
def data(settings: Settings) -> Path:
    """Write the same image as COCO, as Pascal VOC and in class folders."""
    root = settings.data
    folders = ("coco/train2017", "coco/val2017", "voc/JPEGImages", "sorted/train/dog", "sorted/val/dog")
    for folder in folders:
        (root / folder).mkdir(parents=True)
        PIL.Image.new("RGB", (40, 30)).save(root / folder / "1.jpg")
    for folder in ("voc/Annotations", "voc/ImageSets/Main"):
        (root / folder).mkdir(parents=True)
    (root / "voc/Annotations/1.xml").write_text(VOC)
    box = {"id": 1, "image_id": 1, "category_id": 18, "bbox": [0, 0, 10, 20]}
    content = {
        "images": [{"id": 1, "file_name": "1.jpg", "width": 40, "height": 30}],
        "annotations": [box, box | {"id": 2, "bbox": [5, 5, 3, 0]}],
        "categories": [{"id": 18, "name": "dog"}],
    }
    for split in ("train", "val"):
        (root / f"coco/instances_{split}2017.json").write_text(json.dumps(content))
        (root / f"voc/ImageSets/Main/{split}.txt").write_text("1\n")
    return root


COCO = {"train": "coco/instances_train2017.json", "val": "coco/instances_val2017.json", "images": "coco"}
BODIES: dict[str, dict[str, Any]] = {
    "coco": COCO,
    "voc": {"root": "voc"},
    "folders": {"train": "sorted/train", "val": "sorted/val"},
    "shapes": {"train": 2, "val": 1, "size": 64},
}


def post(client: TestClient, kind: str, **changes: Any) -> Any:
    return client.post(
        "/api/v1/datasets", json={"kind": kind, "name": f"my {kind}", **BODIES[kind], **changes}
    )


@pytest.mark.parametrize("kind", BODIES)
def test_every_kind_is_registered_told_and_deleted(client: TestClient, data: Path, kind: str) -> None:
    made = post(client, kind)
    assert made.status_code == 201, made.text
    assert made.json()["kind"] == kind
    assert str(data) not in made.text
    told = client.get(f"/api/v1/datasets/{made.json()['id']}")
    splits = told.json()["statistics"]["splits"]
    assert {split: one["objects"] > 0 for split, one in splits.items()} == {"train": True, "val": True}
    assert str(data) not in told.text
    for sample in told.json()["statistics"]["samples"]:
        image = client.get(
            f"/api/v1/datasets/{made.json()['id']}/images/{sample['split']}/{sample['image_id']}"
        )
        assert image.status_code == 200
    (listed,) = client.get("/api/v1/datasets").json()["items"]
    assert "statistics" not in listed, "a list stays small"
    assert client.delete(f"/api/v1/datasets/{made.json()['id']}").status_code == 204


def test_notes_tell_what_was_left_out(client: TestClient, data: Path) -> None:
    told = client.get(f"/api/v1/datasets/{post(client, 'coco').json()['id']}").json()
    assert told["statistics"]["notes"] == [
        f"coco/instances_{split}2017.json: left out 1 box of zero width or height (annotation 2)"
        for split in ("train", "val")
    ]
    assert told["counts"]["train"] == {"images": 1, "annotations": 1}


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("coco", "train"),
        ("coco", "val"),
        ("coco", "images"),
        ("coco", "val_images"),
        ("voc", "root"),
        ("folders", "train"),
        ("folders", "val"),
    ],
)
@pytest.mark.parametrize("path", ["/etc", "../../etc", "a/../../b"])
def test_no_path_leads_out_of_the_data_root(
    client: TestClient, data: Path, kind: str, field: str, path: str
) -> None:
    answer = post(client, kind, **{field: path})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(f"{field} is ")


@pytest.mark.parametrize("name", ["../../secret", "a/b", "", "a b"])
def test_lists_of_voc_are_names(client: TestClient, data: Path, name: str) -> None:
    answer = post(client, "voc", train=name)
    assert answer.status_code == 422
    assert answer.json()["fields"][0]["field"] == "train"


def test_a_dataset_of_before_has_no_statistics(client: TestClient, dataset_id: int) -> None:
    assert client.get(f"/api/v1/datasets/{dataset_id}").json()["statistics"] is None


@pytest.mark.parametrize("path", ["/runs", "/runs/preview"])
@pytest.mark.parametrize(
    ("kind", "has_masks", "architecture", "sentence"),
    [
        (
            "coco",
            False,
            "mask_rcnn",
            "mask_rcnn needs a mask for every object, which dataset 'cells' lacks; take",
        ),
        (
            "folders",
            False,
            "faster_rcnn",
            "faster_rcnn needs boxes, but dataset 'cells' has images of classes",
        ),
        ("folders", False, "mask_rcnn", "needs a mask"),
        ("folders", False, "retinanet", "take classifier, or a dataset with boxes"),
        ("coco", True, "faster_rcnn", None),
        ("coco", False, "faster_rcnn", None),
        ("folders", False, "classifier", None),
    ],
)
def test_what_a_dataset_cannot_train_is_refused_before_it_is_queued(
    client: TestClient,
    database: Database,
    specification: RunSpecification,
    path: str,
    kind: str,
    has_masks: bool,
    architecture: str,
    sentence: str | None,
) -> None:
    with database.writing() as session:
        dataset = session.get_one(Dataset, specification.dataset_id)
        dataset.kind, dataset.has_masks = kind, has_masks
    body = specification.model_dump(mode="json")
    body["model"]["architecture"] = architecture
    answer = client.post(f"/api/v1{path}", json=body)
    if sentence is None:
        assert answer.status_code in (200, 201), answer.text
    else:
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("model.architecture ")
        assert sentence in answer.json()["detail"]
        assert client.get("/api/v1/runs").json()["total"] == 0
