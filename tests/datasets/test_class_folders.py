"""A folder of images for each class becomes a dataset for classifiers."""

from __future__ import annotations

import os
from pathlib import Path

import PIL.Image
import pytest

from backend.database import Database
from backend.datasets import registration, service
from backend.datasets.coco import read_coco
from backend.errors import InvalidInput
from backend.settings import Settings

IMAGES = {
    "train/mitosis/a.jpg": (30, 20),
    "train/mitosis/deeper/b.PNG": (24, 24),
    "train/resting/c.jpg": (40, 10),
    "val/resting/d.webp": (16, 16),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "sorted"
    for name, size in IMAGES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.new("RGB", size).save(root / name)
    for nothing in ("train/mitosis/notes.txt", "train/mitosis/._a.jpg", "train/readme.md"):
        (root / nothing).write_text("no image")
    (root / "train" / ".cache").mkdir()
    return root


def register(database: Database, settings: Settings, root: Path, **more: object) -> int:
    return registration.register_folders(
        database,
        settings,
        "sorted",
        root / "train",
        root / "val",
        **more,  # type: ignore[arg-type]
    ).id


def test_every_image_is_one_object_that_fills_it(root: Path, database: Database, settings: Settings) -> None:
    seen: list[tuple[int, int]] = []
    dataset_id = register(database, settings, root, progress=lambda *told: seen.append(told))
    with database.reading() as session:
        found = service.get(session, dataset_id)
        assert service.image_file(session, dataset_id, "val", 1) == root / "val" / "resting" / "d.webp"
    assert (found.kind, found.has_masks) == ("folders", False)
    assert found.categories == [{"id": 1, "name": "mitosis"}, {"id": 2, "name": "resting"}]
    train = read_coco(Path(found.train))
    assert [one.file_name for one in train.images] == [
        "mitosis/a.jpg",
        "mitosis/deeper/b.PNG",
        "resting/c.jpg",
    ]
    assert [one.bbox for one in train.annotations] == [(0, 0, 30, 20), (0, 0, 24, 24), (0, 0, 40, 10)]
    assert [one.category_id for one in train.annotations] == [1, 1, 2]
    assert Path(found.images_of("train")) == root / "train"
    assert Path(found.images_of("val")) == root / "val"
    assert seen == [(3, 4), (4, 4)]


def test_its_files_go_with_it_and_the_images_stay(root: Path, database: Database, settings: Settings) -> None:
    dataset_id = register(database, settings, root)
    with database.writing() as session:
        service.delete(session, settings, dataset_id)
    assert list(settings.generated.iterdir()) == []
    assert (root / "train" / "mitosis" / "a.jpg").exists()


def test_it_can_be_checked_again(root: Path, database: Database, settings: Settings) -> None:
    found = registration.check_again(database, register(database, settings, root))
    assert found.counts["train"] == {"images": 3, "annotations": 3}
    (root / "train" / "resting" / "c.jpg").unlink()
    with pytest.raises(InvalidInput, match=r"\(resting/c.jpg\) is missing"):
        registration.check_again(database, found.id)


def test_faulty_images_are_named_together(root: Path, database: Database, settings: Settings) -> None:
    (root / "train" / "mitosis" / "a.jpg").write_bytes(b"no image")
    PIL.Image.new("I;16", (8, 8)).save(root / "val" / "resting" / "deep.png")
    with pytest.raises(InvalidInput) as caught:
        register(database, settings, root)
    sentence = str(caught.value)
    assert sentence.startswith("2 problems: ")
    assert "sorted/train: image mitosis/a.jpg cannot be read as an image" in sentence
    assert "sorted/val: image resting/deep.png has more than 8 bits a channel" in sentence
    assert str(root) not in sentence


def test_a_name_that_no_database_takes_is_refused(root: Path, database: Database, settings: Settings) -> None:
    PIL.Image.new("RGB", (8, 8)).save(root / "train" / "resting" / "e.png")
    place = os.fsencode(root / "train" / "resting")
    os.rename(place + b"/e.png", place + b"/\xff.png")
    with pytest.raises(InvalidInput, match="has a name that cannot be stored; rename it"):
        register(database, settings, root)


def test_a_class_to_judge_only_is_refused(root: Path, database: Database, settings: Settings) -> None:
    (root / "val" / "debris").mkdir()
    with pytest.raises(InvalidInput, match="sorted/val has the class 'debris', which sorted/train lacks"):
        register(database, settings, root)


def test_a_class_without_training_images_is_refused(
    root: Path, database: Database, settings: Settings
) -> None:
    (root / "train" / "empty").mkdir()
    with pytest.raises(InvalidInput, match="sorted/train has no image of the class 'empty'"):
        register(database, settings, root)


def test_folders_that_hold_none_are_refused(root: Path, database: Database, settings: Settings) -> None:
    with pytest.raises(InvalidInput, match="train/train is no folder; name one"):
        register(database, settings, root / "train")
    (root / "val" / "resting" / "d.webp").unlink()
    with pytest.raises(InvalidInput, match="sorted/val holds no image"):
        register(database, settings, root)
    (root / "val" / "resting").rmdir()
    with pytest.raises(InvalidInput, match="sorted/val holds no folder; sort its images"):
        register(database, settings, root)
    assert not settings.generated.exists()
