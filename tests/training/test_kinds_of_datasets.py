"""Runs on datasets as people have them: COCO as downloaded, Pascal VOC, class folders; and without what is needed."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from backend import migration
from backend.database import Database
from backend.datasets import registration
from backend.models import Run
from backend.runs.service import launch
from backend.runs.specification import RunSpecification
from backend.settings import Settings
from worker.training.session import train
from worker.training.stopping import StopFlag

CLASSES = ("disc", "square", "star", "ring", "cross", "triangle")


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """The trainer takes the root logger for itself; give it back."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:], logging.root.level = handlers, level


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("DATABASE_URL", "DATA_ROOT", "LEASE_OWNER", "SUPERVISOR"):
        monkeypatch.delenv(f"EIGENSCOPE_{name}", raising=False)
    monkeypatch.setenv("EIGENSCOPE_HOME", str(tmp_path / "home"))
    return Settings(_env_file=None)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    opened = Database(settings.database)
    migration.upgrade(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def trained(
    settings: Settings, database: Database, specification: Callable[..., RunSpecification]
) -> Callable[..., Run]:
    """Return a function that trains two iterations on dataset 1 and gives the run's row."""

    def run(**changes: Any) -> Run:
        training = {"iterations": 2, "warmup": 1}
        with database.writing() as session:
            run_id = launch(session, settings, specification(training=training, **changes)).id
        status = train(run_id, StopFlag())
        assert status == 0, (settings.run_folder(run_id) / "error.txt").read_text()
        with database.reading() as session:
            return session.get_one(Run, run_id)

    return run


def as_downloaded(shapes: Path, root: Path) -> tuple[Path, Path]:
    """Lay the generated images out as COCO does, with its quirks: ids with gaps, a crowd, a box of no height."""
    (root / "annotations").mkdir(parents=True)
    for split in ("train", "val"):
        content = json.loads((shapes / f"{split}.json").read_text())
        (root / f"{split}2017").mkdir()
        for image in content["images"]:
            name = f"{image['id']:012d}.png"
            shutil.copy(shapes / "images" / image["file_name"], root / f"{split}2017" / name)
            image["file_name"] = name
        for one in (*content["categories"], *content["annotations"]):
            key = "id" if "name" in one else "category_id"
            one[key] = 13 * one[key]
        content["annotations"][0]["iscrowd"] = 1
        content["annotations"][1]["bbox"][3] = 0
        (root / "annotations" / f"instances_{split}2017.json").write_text(json.dumps(content))
    return root / "annotations" / "instances_train2017.json", root / "annotations" / "instances_val2017.json"


def test_coco_as_downloaded_trains(
    database: Database, shapes: Path, tmp_path: Path, trained: Callable[..., Run]
) -> None:
    root = tmp_path / "coco"
    registration.register_coco(database, "coco", *as_downloaded(shapes, root), root)
    assert trained().ap is not None


def test_pascal_voc_trains(
    settings: Settings, database: Database, shapes: Path, tmp_path: Path, trained: Callable[..., Run]
) -> None:
    root = tmp_path / "VOC2007"
    for folder in ("Annotations", "ImageSets/Main", "JPEGImages"):
        (root / folder).mkdir(parents=True)
    for split in ("train", "val"):
        content = json.loads((shapes / f"{split}.json").read_text())
        stems = []
        for image in content["images"]:
            stems.append(Path(image["file_name"]).stem)
            picture = PIL.Image.open(shapes / "images" / image["file_name"])
            picture.save(root / "JPEGImages" / f"{stems[-1]}.jpg")
            mine = [one for one in content["annotations"] if one["image_id"] == image["id"]]
            (root / "Annotations" / f"{stems[-1]}.xml").write_text(voc(image, mine))
        (root / "ImageSets" / "Main" / f"{split}.txt").write_text("\n".join(stems))
    registration.register_voc(database, settings, "voc", root)
    assert trained().ap is not None


def voc(image: dict[str, Any], annotations: list[dict[str, Any]]) -> str:
    size = f"<size><width>{image['width']}</width><height>{image['height']}</height></size>"
    objects = []
    for number, one in enumerate(annotations):
        left, top, width, height = one["bbox"]
        corners = {"xmin": left + 1, "ymin": top + 1, "xmax": left + width, "ymax": top + height}
        box = "".join(f"<{key}>{value}</{key}>" for key, value in corners.items())
        name = CLASSES[one["category_id"] - 1]
        objects.append(
            f"<object><name>{name}</name><difficult>{number % 2}</difficult><bndbox>{box}</bndbox></object>"
        )
    return f"<annotation>{size}{''.join(objects)}</annotation>"


def test_a_classifier_trains_on_class_folders(
    settings: Settings, database: Database, shapes: Path, tmp_path: Path, trained: Callable[..., Run]
) -> None:
    for split in ("train", "val"):
        for number, image in enumerate(sorted((shapes / "images").glob(f"{split}_*"))):
            folder = tmp_path / split / ("even", "odd")[number % 2]
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(image, folder)
    registration.register_folders(database, settings, "sorted", tmp_path / "train", tmp_path / "val")
    run = trained(model={"architecture": "classifier"})
    assert run.top1 is not None
    assert 0 <= run.top1 <= 1


def test_masks_that_went_after_the_launch_are_missed_at_the_start(
    settings: Settings,
    database: Database,
    shapes: Path,
    tmp_path: Path,
    specification: Callable[..., RunSpecification],
) -> None:
    files = {}
    for split in ("train", "val"):
        files[split] = tmp_path / f"{split}.json"
        shutil.copy(shapes / f"{split}.json", files[split])
    registration.register_coco(database, "tiny", files["train"], files["val"], shapes / "images")
    with database.writing() as session:
        wanted = specification(model={"architecture": "mask_rcnn", "widths": None})
        run = Run(name="r", specification=wanted.model_dump(mode="json"), dataset_id=1, iterations=2)
        session.add(run)
        session.flush()
        run_id = run.id
    content = json.loads(files["val"].read_text())
    del content["annotations"][0]["segmentation"]
    files["val"].write_text(json.dumps(content))
    assert train(run_id, StopFlag()) == 4
    assert (
        (settings.run_folder(run_id) / "error.txt")
        .read_text()
        .startswith(
            "model.architecture mask_rcnn needs a mask for every object, which dataset 'tiny' lacks; take faster_rcnn"
        )
    )
