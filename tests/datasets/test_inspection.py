"""A dataset is checked whole: both files, every image, and that they belong together."""

from __future__ import annotations

import PIL.Image
import pytest

from backend.datasets.inspection import inspect_coco
from backend.errors import InvalidInput


def inspect(coco, progress=None):
    return inspect_coco(coco.train, coco.val, coco.images, progress)


def test_a_good_dataset_is_described(coco) -> None:
    seen: list[tuple[int, int]] = []
    found = inspect(coco, lambda done, total: seen.append((done, total)))
    assert found.kind == "coco"
    assert found.categories == [{"id": 3, "name": "nucleus"}, {"id": 7, "name": "debris"}]
    assert found.counts == {"train": {"images": 3, "annotations": 3}, "val": {"images": 3, "annotations": 3}}
    assert found.has_masks
    assert (found.train, found.val, found.images) == (coco.train, coco.val, coco.images)
    assert found.val_images == coco.images
    assert found.files["val"] == [(1, "val_1.png"), (2, "val_2.png"), (9, "val_9.png")]
    assert seen == [(3, 6), (6, 6)]


def test_a_missing_image_is_named(coco) -> None:
    (coco.images / "val_2.png").unlink()
    sentence = r"val.json: image 2 \(val_2.png\) is missing in the folder data/images; add the file, remove"
    with pytest.raises(InvalidInput, match=sentence):
        inspect(coco)


def test_an_image_of_another_size_is_named(coco) -> None:
    PIL.Image.new("L", (30, 40)).save(coco.images / "train_9.png")
    sentence = r"image 9 \(train_9.png\) is 30 x 40 pixels, but declared as 40 x 30; correct"
    with pytest.raises(InvalidInput, match=sentence):
        inspect(coco)


def test_an_image_of_16_bits_is_named_before_a_training_stumbles_over_it(coco) -> None:
    PIL.Image.new("I;16", (40, 30)).save(coco.images / "train_9.png")
    with pytest.raises(
        InvalidInput, match=r"image 9 \(train_9.png\) has more than 8 bits a channel; convert"
    ):
        inspect(coco)


@pytest.mark.parametrize("content", [b"", b"no image at all", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_named_without_the_servers_paths(coco, content: bytes) -> None:
    (coco.images / "train_1.png").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"image 1 \(train_1.png\) cannot be read as an image") as caught:
        inspect(coco)
    assert str(coco.root) not in str(caught.value)


def test_a_folder_instead_of_an_image_is_named(coco) -> None:
    (coco.images / "train_1.png").unlink()
    (coco.images / "train_1.png").mkdir()
    with pytest.raises(InvalidInput, match="cannot be read as an image"):
        inspect(coco)


@pytest.mark.parametrize(("split", "word"), [("train", "training"), ("val", "validation")])
def test_an_empty_split_is_refused(coco, split: str, word: str) -> None:
    coco.spoil(lambda c: c["annotations"].clear(), split)
    with pytest.raises(
        InvalidInput, match=rf"{split}.json: the {word} set is empty \(3 images, no annotated"
    ):
        inspect(coco)


def test_crowds_alone_are_an_empty_set(coco) -> None:
    coco.spoil(lambda c: c.update(annotations=c["annotations"][2:]))
    with pytest.raises(InvalidInput, match="training set is empty"):
        inspect(coco)


def test_splits_with_different_categories_are_refused(coco) -> None:
    coco.spoil(lambda c: c["categories"].append({"id": 8, "name": "dust"}), "val")
    with pytest.raises(
        InvalidInput, match=r"train.json: lacks category 8 \(dust\) of data/val.json; list the same"
    ):
        inspect(coco)


def test_a_missing_folder_is_refused(coco) -> None:
    with pytest.raises(InvalidInput, match=r"data/nowhere is no folder; name the folder"):
        inspect_coco(coco.train, coco.val, coco.root / "nowhere")


def test_all_problems_of_both_files_and_the_images_come_at_once(coco) -> None:
    coco.spoil(lambda c: c["annotations"][0].update(bbox=[0, 0, 0, -1]))
    coco.val.write_text("{")
    (coco.images / "train_9.png").unlink()
    with pytest.raises(InvalidInput) as caught:
        inspect(coco)
    sentence = str(caught.value)
    assert sentence.startswith("3 problems: (1) ")
    for part in ("negative size", "data/val.json is not JSON", "train_9.png) is missing"):
        assert part in sentence
