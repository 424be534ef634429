"""Reading COCO files: what is right, and one sentence for each thing that is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.datasets.coco import read_coco
from backend.errors import InvalidInput

Content = dict[str, Any]


def annotation(content: Content) -> dict[str, Any]:
    found: dict[str, Any] = content["annotations"][0]
    return found


def test_reads_ids_with_gaps_crowds_and_images_without_annotations(coco) -> None:
    file = read_coco(coco.train)
    assert [(c.id, c.name) for c in file.categories] == [(3, "nucleus"), (7, "debris")]
    assert file.labels == {3: 1, 7: 2}
    assert {image: len(found) for image, found in file.by_image.items()} == {1: 1, 2: 2, 9: 0}
    assert file.instances == 2
    assert file.has_masks
    first, second, crowd = file.annotations
    assert first.bbox == (5, 5, 10, 10)
    assert second.area == 40 * 30
    assert not second.iscrowd
    assert crowd.iscrowd
    assert crowd.segmentation == {"size": [30, 40], "counts": [0, 1200]}


def test_a_byte_order_mark_is_no_obstacle(coco) -> None:
    coco.train.write_bytes(b"\xef\xbb\xbf" + coco.train.read_bytes())
    assert len(read_coco(coco.train).images) == 3


def test_boxes_may_reach_one_pixel_over_the_edge_but_no_further(coco) -> None:
    coco.spoil(lambda c: annotation(c).update(bbox=[-1, -0.5, 42, 31.5]))
    assert read_coco(coco.train).annotations[0].bbox == (-1, -0.5, 42, 31.5)
    coco.spoil(lambda c: annotation(c).update(bbox=[-1.1, 0, 42, 30]))
    with pytest.raises(InvalidInput, match="outside the image"):
        read_coco(coco.train)


def test_a_single_object_without_a_mask_means_no_masks(coco) -> None:
    coco.spoil(lambda c: annotation(c).pop("segmentation"))
    assert not read_coco(coco.train).has_masks


@pytest.mark.parametrize("box", [[5, 5, 0, 10], [5, 5, 10, 0.0], [0, 0, 0, 0], [40, 30, 0, 0]])
def test_boxes_without_width_or_height_are_left_out_and_remembered(coco, box: list[float]) -> None:
    coco.spoil(lambda c: annotation(c).update(bbox=box))
    file = read_coco(coco.train)
    assert file.degenerate == (11,)
    assert [one.id for one in file.annotations] == [12, 13]
    assert file.by_image[1] == []


def test_a_left_out_box_without_a_mask_takes_no_masks_away(coco) -> None:
    coco.spoil(lambda c: annotation(c).update(bbox=[5, 5, 0, 10], segmentation=[]))
    assert read_coco(coco.train).has_masks


BAD_ENTRIES: dict[str, tuple[Callable[[Content], object], str]] = {
    "box outside": (
        lambda c: annotation(c).update(bbox=[35, 5, 10, 10]),
        r"data/train.json: annotation 11 of image 1 \(train_1.png\) has the box \[35, 5, 10, 10\], which reaches "
        r"outside the image of 40 x 30 pixels; correct",
    ),
    "box in the tolerance only": (lambda c: annotation(c).update(bbox=[40, 5, 1, 1]), "outside the image"),
    "box of negative height": (
        lambda c: annotation(c).update(bbox=[5, 5, 3, -2]),
        "annotation 11 of image 1 .* box of negative size .*; correct it or remove",
    ),
    "box of no width outside": (lambda c: annotation(c).update(bbox=[50, 5, 0, 3]), "outside the image"),
    "box of no height of an unknown category": (
        lambda c: annotation(c).update(bbox=[5, 5, 3, 0], category_id=4),
        "unknown category 4",
    ),
    "box of three numbers": (lambda c: annotation(c).update(bbox=[5, 5, 3]), "four numbers"),
    "box of words": (lambda c: annotation(c).update(bbox=["a", 5, 3, 3]), "four numbers"),
    "box missing": (lambda c: annotation(c).pop("bbox"), "has the bbox None; write"),
    "box not a number": (lambda c: annotation(c).update(bbox=[float("nan"), 5, 3, 3]), "four numbers"),
    "box infinite": (lambda c: annotation(c).update(bbox=[5, 5, float("inf"), 3]), "four numbers"),
    "negative area": (lambda c: annotation(c).update(area=-1), "has the area -1; write"),
    "unknown category": (
        lambda c: annotation(c).update(category_id=4),
        "annotation 11 of image 1 has the unknown category 4; add it to 'categories' or correct",
    ),
    "unknown image": (
        lambda c: annotation(c).update(image_id=5),
        "annotation 11 belongs to image 5, which is not listed .*; add the image or remove",
    ),
    "iscrowd": (lambda c: annotation(c).update(iscrowd=2), "iscrowd 2; write 0 or 1"),
    "short polygon": (
        lambda c: annotation(c).update(segmentation=[[1, 2, 3, 4]]),
        "at least three x, y pairs",
    ),
    "odd polygon": (lambda c: annotation(c).update(segmentation=[[1, 2, 3, 4, 5, 6, 7]]), "three x, y pairs"),
    "mask of words": (lambda c: annotation(c).update(segmentation="a b"), "malformed mask"),
    "mask of another size": (
        lambda c: annotation(c).update(segmentation={"size": [40, 30], "counts": [0]}),
        r"must be \[30, 40\]",
    ),
    "same annotation id": (
        lambda c: c["annotations"][1].update(id=11),
        "annotation id 11 is used twice; give every annotation its own id",
    ),
    "same category id": (
        lambda c: c["categories"].append({"id": 3, "name": "x"}),
        "category id 3 is used twice",
    ),
    "category without a name": (lambda c: c["categories"].append({"id": 4}), "category 4 has no name"),
    "same image id": (lambda c: c["images"].append(c["images"][2]), "image id 9 is used twice"),
    "annotation without id": (
        lambda c: c["annotations"].append({"image_id": 1}),
        "entry 3 of 'annotations' has no whole number as its id; give it one",
    ),
    "id beyond 63 bits": (lambda c: annotation(c).update(id=2**63), "entry 0 of 'annotations' has no whole"),
    "id true": (lambda c: annotation(c).update(id=True), "entry 0 of 'annotations' has no whole number"),
    "entry that is a word": (
        lambda c: c["images"].append("a.png"),
        "entry 3 of 'images' has no whole number",
    ),
    "image without a size": (lambda c: c["images"][2].pop("width"), "image 9 has no width and height"),
    "image without a file": (lambda c: c["images"][2].pop("file_name"), "image 9 has no file_name"),
    "climbing file": (
        lambda c: c["images"][2].update(file_name="../secret.png"),
        "image 9 has the file_name '../secret.png', which climbs out of the images folder",
    ),
    "absolute file": (
        lambda c: c["images"][2].update(file_name="/etc/passwd"),
        "'/etc/passwd', which is absolute",
    ),
}


@pytest.mark.parametrize("name", BAD_ENTRIES)
def test_a_bad_entry_is_named_with_its_mend(coco, name: str) -> None:
    change, sentence = BAD_ENTRIES[name]
    coco.spoil(change)
    with pytest.raises(InvalidInput, match=sentence) as caught:
        read_coco(coco.train)
    assert str(coco.root.parent) not in str(caught.value)
    assert "problems" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"not json", "data/train.json is not JSON .*; name a COCO"),
        (b"", "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "is not a COCO annotation file: it has no list 'images'"),
        (b'{"images": [], "annotations": []}', "no list 'categories'"),
        (b'{"images": [], "annotations": {}, "categories": []}', "no list 'annotations'"),
    ],
)
def test_what_is_no_coco_file_is_refused(coco, content: bytes, sentence: str) -> None:
    coco.train.write_bytes(content)
    with pytest.raises(InvalidInput, match=sentence):
        read_coco(coco.train)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none\.json does not exist; check the path"):
        read_coco(tmp_path / "none.json")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_coco(tmp_path)


def test_many_problems_are_counted_and_five_told(coco) -> None:
    def spoil(content: Content) -> None:
        box = {"image_id": 1, "category_id": 3, "bbox": [0, 0, 0, -1]}
        content["annotations"] += [box | {"id": number} for number in range(100, 1100)]

    coco.spoil(spoil)
    with pytest.raises(InvalidInput) as caught:
        read_coco(coco.train)
    sentence = str(caught.value)
    assert sentence.startswith("1000 problems, first 5: (1) data/train.json: annotation 100 of image 1")
    assert "annotation 104" in sentence
    assert "annotation 105" not in sentence


def test_whole_floats_pass_for_ids(coco) -> None:
    coco.train.write_text(
        json.dumps(json.loads(coco.train.read_text())).replace('"image_id": 1', '"image_id": 1.0')
    )
    assert read_coco(coco.train).annotations[0].image_id == 1
