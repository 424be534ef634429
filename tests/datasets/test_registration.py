"""Datasets in the database: all or nothing, named once, deleted with what is theirs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from backend.database import Database
from backend.datasets import registration, service
from backend.datasets.shapes import ShapesParameters
from backend.errors import Conflict, InvalidInput, NotFound
from backend.models import Run
from backend.settings import Settings

SMALL = ShapesParameters(train=2, val=1, size=64)


def add_coco(database: Database, coco, name: str = "tiny") -> int:
    return registration.register_coco(database, name, coco.train, coco.val, coco.images).id


def add_shapes(database: Database, settings: Settings, name: str = "shapes", parameters=SMALL) -> int:
    return registration.register_shapes(database, settings, name, parameters).id


def add_run(session: Session, dataset_id: int) -> None:
    session.add(Run(name="r", specification={}, dataset_id=dataset_id, iterations=1))
    session.flush()


def test_a_registered_dataset_is_found_by_id_and_name(database: Database, coco) -> None:
    dataset_id = add_coco(database, coco)
    with database.reading() as session:
        found = service.get(session, dataset_id)
        assert found is service.by_name(session, "tiny")
        assert list(service.listing(session)) == [found]
        assert service.count(session) == 1
        assert Path(found.train) == coco.train
        assert found.counts["val"] == {"images": 3, "annotations": 3}


def test_relative_paths_are_stored_absolute(
    database: Database, coco, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(coco.root)
    found = registration.register_coco(database, "tiny", Path("train.json"), Path("val.json"), Path("images"))
    assert Path(found.images) == coco.images


def test_a_faulty_dataset_leaves_nothing(database: Database, coco) -> None:
    (coco.images / "train_1.png").unlink()
    with pytest.raises(InvalidInput, match="is missing"):
        add_coco(database, coco)
    with database.reading() as session:
        assert service.count(session) == 0


def test_a_taken_name_is_a_conflict(database: Database, settings: Settings, coco) -> None:
    add_coco(database, coco)
    with pytest.raises(Conflict, match=r"a dataset named 'tiny' exists already \(id 1, coco\)"):
        add_coco(database, coco)
    with pytest.raises(Conflict, match="'tiny' exists already"):
        add_shapes(database, settings, "tiny")
    assert not settings.generated.exists()


@pytest.mark.parametrize("name", ["", " ", " a", "a\n", "a\0", "x" * 201])
def test_a_name_that_cannot_be_shown_is_refused(database: Database, coco, name: str) -> None:
    with pytest.raises(InvalidInput, match="printable characters"):
        add_coco(database, coco, name)


def test_a_name_stored_in_the_meantime_is_a_conflict(
    database: Database, coco, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_coco(database, coco)
    monkeypatch.setattr(service.repository, "by_name", lambda session, name: None)
    with pytest.raises(Conflict, match="stored just now"):
        add_coco(database, coco)


def test_shapes_again_is_the_same_dataset(database: Database, settings: Settings) -> None:
    first = add_shapes(database, settings)
    assert add_shapes(database, settings) == first
    with pytest.raises(Conflict, match=r"'shapes' exists already \(id 1, shapes-v1-2-1-64px-seed0\)"):
        add_shapes(database, settings, parameters=ShapesParameters(train=3, val=1, size=64))


def test_shapes_whose_files_are_gone_are_drawn_again(database: Database, settings: Settings) -> None:
    first = add_shapes(database, settings)
    folder = service.shapes_folder(settings, SMALL)
    shutil.rmtree(folder)
    assert add_shapes(database, settings) == first
    assert (folder / "images" / "val_000000.png").is_file()


def test_deleting_shapes_removes_the_files_after_the_commit(database: Database, settings: Settings) -> None:
    dataset_id = add_shapes(database, settings)
    folder = service.shapes_folder(settings, SMALL)
    with database.writing() as session:
        service.delete(session, settings, dataset_id)
        assert folder.exists()
    assert not folder.exists()
    with database.reading() as session, pytest.raises(NotFound, match=f"no dataset {dataset_id}"):
        service.get(session, dataset_id)


def test_files_stay_when_the_transaction_is_rolled_back(database: Database, settings: Settings) -> None:
    dataset_id = add_shapes(database, settings)

    def fail() -> None:
        with database.writing() as session:
            service.delete(session, settings, dataset_id)
            raise RuntimeError("after the deletion")

    with pytest.raises(RuntimeError, match="after the deletion"):
        fail()
    assert service.shapes_folder(settings, SMALL).exists()
    with database.reading() as session:
        assert service.count(session) == 1


def test_files_stay_while_another_dataset_reads_them(database: Database, settings: Settings) -> None:
    first, second = add_shapes(database, settings, "one"), add_shapes(database, settings, "two")
    folder = service.shapes_folder(settings, SMALL)
    for dataset_id, remain in ((first, True), (second, False)):
        with database.writing() as session:
            service.delete(session, settings, dataset_id)
        assert folder.exists() is remain


def test_deleting_a_registered_dataset_keeps_its_files(database: Database, settings: Settings, coco) -> None:
    dataset_id = add_coco(database, coco)
    with database.writing() as session:
        service.delete(session, settings, dataset_id)
    assert coco.train.exists()
    assert coco.images.exists()


@pytest.mark.parametrize(("runs", "words"), [(1, "1 run; delete it"), (2, "2 runs; delete them")])
def test_a_dataset_in_use_stays(database: Database, settings: Settings, coco, runs: int, words: str) -> None:
    dataset_id = add_coco(database, coco)
    with database.writing() as session:
        for _ in range(runs):
            add_run(session, dataset_id)
    with pytest.raises(Conflict, match=f"'tiny' is used by {words} first"), database.writing() as session:
        service.delete(session, settings, dataset_id)


def test_a_run_launched_in_the_meantime_is_a_conflict(
    database: Database, settings: Settings, coco, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = add_coco(database, coco)
    with database.writing() as session:
        add_run(session, dataset_id)
    monkeypatch.setattr(service.repository, "runs_on", lambda session, dataset_id: 0)
    with pytest.raises(Conflict, match="launched just now"), database.writing() as session:
        service.delete(session, settings, dataset_id)


def test_others_can_write_while_a_server_checks_a_dataset(
    database: Database, settings: Settings, coco
) -> None:
    def write(done: int, total: int) -> None:
        add_shapes(database, settings, f"beside {done}")

    found = registration.register_coco(database, "tiny", coco.train, coco.val, coco.images, write)
    shapes = registration.register_shapes(database, settings, "shapes", SMALL)
    with database.reading() as session:
        assert service.get(session, found.id).name == "tiny"
        assert service.get(session, shapes.id).kind == "shapes"
        assert service.count(session) == 4


def test_checking_again_renews_what_the_files_say(database: Database, coco) -> None:
    dataset_id = add_coco(database, coco)
    with database.writing() as session:
        service.get(session, dataset_id).statistics = None
    coco.spoil(lambda c: c["images"].pop(), "val")
    coco.spoil(lambda c: c["annotations"][0].pop("segmentation"))
    registration.check_again(database, dataset_id)
    with database.reading() as session:
        found = service.get(session, dataset_id)
        assert found.statistics is not None
        assert found.counts["val"] == {"images": 2, "annotations": 3}
        assert not found.has_masks
        assert service.image_file(session, dataset_id, "val", 2) == coco.images / "val_2.png"
        with pytest.raises(NotFound, match="no image 9 in its val split"):
            service.image_file(session, dataset_id, "val", 9)


def test_checking_again_keeps_everything_where_a_file_is_faulty(database: Database, coco) -> None:
    dataset_id = add_coco(database, coco)
    (coco.images / "val_9.png").unlink()
    with pytest.raises(InvalidInput, match="is missing"):
        registration.check_again(database, dataset_id)
    with database.reading() as session:
        assert service.get(session, dataset_id).counts["val"] == {"images": 3, "annotations": 3}
        assert service.image_file(session, dataset_id, "val", 9) == coco.images / "val_9.png"


def test_checking_again_finds_the_folder_of_each_split(database: Database, coco) -> None:
    for split in ("train", "val"):
        (coco.root / split).mkdir()
        for image in coco.images.glob(f"{split}_*"):
            image.rename(coco.root / split / image.name)
    dataset_id = registration.register_coco(database, "tiny", coco.train, coco.val, coco.root).id
    found = registration.check_again(database, dataset_id)
    assert (found.images, found.val_images) == (str(coco.root / "train"), str(coco.root / "val"))


def test_other_categories_are_another_dataset(database: Database, coco) -> None:
    dataset_id = add_coco(database, coco)
    for split in ("train", "val"):
        coco.spoil(lambda c: c["categories"].append({"id": 9, "name": "dust"}), split)
    with pytest.raises(
        Conflict, match=r"name other categories than before.*; register them as a new dataset"
    ):
        registration.check_again(database, dataset_id)
