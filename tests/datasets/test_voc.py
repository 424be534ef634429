"""Pascal VOC: 1-based inclusive boxes, difficult objects, untrusted XML."""

from __future__ import annotations

import json
import time
from pathlib import Path

import PIL.Image
import pytest

from backend.database import Database
from backend.datasets import registration, service
from backend.datasets.coco import read_coco
from backend.errors import Conflict, InvalidInput, Unavailable
from backend.settings import Settings

WIDTH, HEIGHT = 50, 37


def xml_object(
    name: str, box: tuple[float, float, float, float], difficult: str = "<difficult>0</difficult>"
) -> str:
    # VOC2012 writes xmax before xmin.
    left, top, right, bottom = box
    return (
        f"<object><name>{name}</name><pose>Left</pose>{difficult}"
        f"<bndbox><xmax>{right}</xmax><xmin>{left}</xmin><ymax>{bottom}</ymax><ymin>{top}</ymin></bndbox>"
        "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>"
        "</object>"
    )


def xml(*objects: str, size: str = f"<width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth>") -> str:
    return f"<annotation><filename>x.jpg</filename><size>{size}</size>{''.join(objects)}</annotation>"


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    root = tmp_path / "VOCdevkit" / "VOC2007"
    for folder in ("Annotations", "ImageSets/Main", "JPEGImages"):
        (root / folder).mkdir(parents=True)
    contents = {
        "000005": xml(xml_object("dog", (1, 1, WIDTH, HEIGHT)), xml_object("cat", (11, 8, 20, 17))),
        "000007": xml(xml_object("dog", (5.0, 5.0, 9.0, 9.0), "<difficult>1</difficult>")),
        "000009": xml(),
        "2008_000002": xml(xml_object("cat", (3, 3, 12, 22), "")),
    }
    for stem, text in contents.items():
        (root / "Annotations" / f"{stem}.xml").write_text(text)
        PIL.Image.new("RGB", (WIDTH, HEIGHT)).save(root / "JPEGImages" / f"{stem}.jpg")
    (root / "ImageSets" / "Main" / "train.txt").write_text("000005\n000007\n000009\n")
    (root / "ImageSets" / "Main" / "val.txt").write_text("2008_000002  1\n\n")
    (root / "ImageSets" / "Main" / "trainval.txt").write_text("000005\n2008_000002\n")
    (root / "ImageSets" / "Main" / "dog_train.txt").write_text("000005 -1\n")
    return root


def register(database: Database, settings: Settings, root: Path, **more: object) -> int:
    return registration.register_voc(database, settings, "voc", root, **more).id  # type: ignore[arg-type]


def spoil(root: Path, text: str) -> None:
    (root / "Annotations" / "000005.xml").write_text(text, encoding="utf-8")


def test_it_becomes_a_coco_dataset_of_zero_based_boxes(
    voc: Path, database: Database, settings: Settings
) -> None:
    seen: list[tuple[int, int]] = []
    dataset_id = register(database, settings, voc, progress=lambda *told: seen.append(told))
    with database.reading() as session:
        found = service.get(session, dataset_id)
        assert (found.kind, found.has_masks) == ("voc", False)
        assert service.image_file(session, dataset_id, "val", 1) == voc / "JPEGImages" / "2008_000002.jpg"
        assert found.statistics is not None
        assert found.statistics["splits"]["train"]["crowds"] == 1
    assert found.categories == [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    train = read_coco(Path(found.train))
    assert [one.bbox for one in train.annotations] == [(0, 0, 50, 37), (10, 7, 10, 10), (4, 4, 5, 5)]
    assert [one.area for one in train.annotations] == [1850, 100, 25]
    assert [one.iscrowd for one in train.annotations] == [False, False, True]
    assert [one.category_id for one in train.annotations] == [2, 1, 2]
    assert [image.id for image in train.images] == [1, 2, 3]
    assert read_coco(Path(found.val)).annotations[0].bbox == (2, 2, 10, 20)
    assert seen[0] == (1, 8)
    assert seen[-1] == (8, 8)
    assert [one[0] for one in seen] == sorted(one[0] for one in seen)


def test_other_lists_can_be_named(voc: Path, database: Database, settings: Settings) -> None:
    dataset_id = register(database, settings, voc, train="trainval")
    with database.reading() as session:
        assert service.get(session, dataset_id).counts["train"] == {"images": 2, "annotations": 3}


def test_its_files_are_ours_and_go_with_it(voc: Path, database: Database, settings: Settings) -> None:
    dataset_id = register(database, settings, voc)
    with database.writing() as session:
        folder = Path(service.get(session, dataset_id).train).parent
        assert folder.parent == settings.generated
        assert sorted(one.name for one in folder.iterdir()) == ["train.json", "val.json"]
        service.delete(session, settings, dataset_id)
    assert list(settings.generated.iterdir()) == []
    assert (voc / "JPEGImages" / "000005.jpg").exists()


def test_nothing_is_left_of_a_registration_that_fails(
    voc: Path, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(database, settings, voc)
    with pytest.raises(Conflict, match=r"'voc' exists already \(id 1, voc\)"):
        register(database, settings, voc)
    monkeypatch.setattr(service, "expect_free", lambda *_: None)
    monkeypatch.setattr(service.repository, "by_name", lambda *_: None)
    with pytest.raises(Conflict, match="stored just now"):
        register(database, settings, voc)
    assert len(list(settings.generated.iterdir())) == 1, "the first one's"


def test_a_disk_that_refuses_is_named(voc: Path, database: Database, settings: Settings) -> None:
    settings.generated.write_text("a file where the folder would be")
    with pytest.raises(Unavailable, match="converted annotations cannot be written to"):
        register(database, settings, voc)


FAULTS = {
    "no xml": ("<annotation>", r"Annotations/000005.xml is not XML \(.*\); write it anew"),
    "empty": ("", "is not XML"),
    "no size": (xml(size=""), "has None as its size/width; write a number"),
    "size of zero": (
        xml(size="<width>0</width><height>0</height>"),
        "has the size 0 x 0; write whole pixels",
    ),
    "another size": (
        xml(xml_object("dog", (1, 1, 9, 9)), size="<width>60</width><height>40</height>"),
        r"Main/train.txt: image 1 \(000005.jpg\) is 50 x 37 pixels, but declared as 60 x 40",
    ),
    "corners swapped": (
        xml(xml_object("dog", (20, 5, 10, 9))),
        r"Annotations/000005.xml: its dog of image 1 \(000005.jpg\) has a box of negative size",
    ),
    "box outside": (xml(xml_object("dog", (45, 5, 60, 9))), "reaches outside the image of 50 x 37 pixels"),
    "corner of words": (xml(xml_object("dog", ("a", 5, 60, 9))), "has 'a' as its bndbox/xmin"),  # type: ignore[arg-type]
    "corner not finite": (xml(xml_object("dog", (1, 1, float("nan"), 9))), "four numbers"),
    "no name": (xml(xml_object(" ", (1, 1, 9, 9))), "has an object without a name; name its class"),
    "difficult": (
        xml(xml_object("dog", (1, 1, 9, 9), "<difficult>yes</difficult>")),
        "has an object with difficult 'yes'; write 0 or 1",
    ),
    "doctype": ('<!DOCTYPE annotation SYSTEM "file:///etc/passwd">' + xml(), "declares a document type"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_sentence_with_its_mend(
    voc: Path, database: Database, settings: Settings, fault: str
) -> None:
    text, sentence = FAULTS[fault]
    spoil(voc, text)
    with pytest.raises(InvalidInput, match=sentence) as caught:
        register(database, settings, voc)
    assert str(voc.parent.parent) not in str(caught.value)
    assert not settings.generated.exists()


def test_entities_are_not_expanded(voc: Path, database: Database, settings: Settings) -> None:
    levels = "".join(f'<!ENTITY a{k} "{f"&a{k - 1};" * 10}">' for k in range(1, 10))
    spoil(
        voc,
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "dog">{levels}]>'
        + xml(xml_object("&a9;", (1, 1, 9, 9))),
    )
    began = time.process_time()
    with pytest.raises(InvalidInput, match="declares a document type, which is not read; remove the DOCTYPE"):
        register(database, settings, voc)
    assert time.process_time() - began < 2


def test_xml_in_another_encoding_is_refused(voc: Path, database: Database, settings: Settings) -> None:
    bomb = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "dog">]>' + xml()
    (voc / "Annotations" / "000005.xml").write_bytes(bomb.encode("utf-16"))
    with pytest.raises(InvalidInput, match="is not UTF-8; save it as UTF-8"):
        register(database, settings, voc)


def test_missing_files_are_named_together(voc: Path, database: Database, settings: Settings) -> None:
    (voc / "JPEGImages" / "000005.jpg").unlink()
    (voc / "Annotations" / "000007.xml").unlink()
    (voc / "ImageSets" / "Main" / "val.txt").write_text("../../../secret\n")
    with pytest.raises(InvalidInput) as caught:
        register(database, settings, voc)
    sentence = str(caught.value)
    assert sentence.startswith("3 problems: ")
    for part in (
        "image 000005 is missing in JPEGImages; add the file",
        "Annotations/000007.xml does not exist; add it",
        "lists '../../../secret', which is no image's name",
    ):
        assert part in sentence


def test_a_list_that_is_not_there_names_those_that_are(
    voc: Path, database: Database, settings: Settings
) -> None:
    with pytest.raises(InvalidInput, match=r"Main/test.txt does not exist; .*: train, trainval, val"):
        register(database, settings, voc, val="test")


def test_lists_without_images_or_objects_are_refused(
    voc: Path, database: Database, settings: Settings
) -> None:
    (voc / "ImageSets" / "Main" / "val.txt").write_text("000009\n000007\n")
    with pytest.raises(InvalidInput, match="its 2 images have no object that is not difficult"):
        register(database, settings, voc)
    (voc / "ImageSets" / "Main" / "val.txt").write_text("\n")
    with pytest.raises(InvalidInput, match=r"Main/val.txt lists no image"):
        register(database, settings, voc)


def test_another_folder_is_told_what_voc_is(voc: Path, database: Database, settings: Settings) -> None:
    with pytest.raises(
        InvalidInput, match="has no folder Annotations; name a folder such as VOCdevkit/VOC2007"
    ):
        register(database, settings, voc.parent)


def test_it_can_be_checked_again(voc: Path, database: Database, settings: Settings) -> None:
    dataset_id = register(database, settings, voc)
    found = registration.check_again(database, dataset_id)
    assert (found.kind, found.counts["val"]) == ("voc", {"images": 1, "annotations": 1})
    written = json.loads(Path(found.train).read_text())
    assert "segmentation" not in written["annotations"][0]
