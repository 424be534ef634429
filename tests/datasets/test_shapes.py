"""The generated dataset: the same bytes from the same seed, and annotations that are exactly the pixels."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco_mask

from backend.datasets.coco import read_coco
from backend.datasets.drawing.outlines import CLASSES
from backend.datasets.drawing.scene import MIN_VISIBLE, draw_scene
from backend.datasets.inspection import inspect_coco
from backend.datasets.shapes import generate, remove, run_lengths
from backend.errors import InvalidInput, Unavailable


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# pycocotools 2.0 predates numpy 2's __array__; what it returns is right.
reads_masks = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def decoded(encoding: dict) -> np.ndarray:
    return coco_mask.decode(coco_mask.frPyObjects(encoding, *encoding["size"])).astype(bool)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated") / "shapes"
    generate(folder, seed=3, train=40, val=10, size=96)
    return folder


def test_the_same_parameters_give_the_same_bytes(shapes: Path, tmp_path: Path) -> None:
    generate(tmp_path / "again", seed=3, train=40, val=10, size=96)
    assert digests(tmp_path / "again") == digests(shapes)
    assert len(digests(shapes)) == 52


def test_seeds_and_splits_differ_and_a_larger_set_begins_with_a_smaller(shapes: Path, tmp_path: Path) -> None:
    generate(tmp_path / "other", seed=4, train=1, val=1, size=96)
    generate(tmp_path / "smaller", seed=3, train=2, val=1, size=96)
    here, other, smaller = digests(shapes), digests(tmp_path / "other"), digests(tmp_path / "smaller")
    first = "images/train_000000.png"
    assert here[first] != other[first]
    assert here[first] != here["images/val_000000.png"]
    assert here[first] == smaller[first]


def test_it_passes_the_check_of_any_coco_dataset(shapes: Path) -> None:
    found = inspect_coco(shapes / "train.json", shapes / "val.json", shapes / "images")
    assert [category["name"] for category in found.categories] == list(CLASSES)
    assert found.has_masks
    assert found.counts["train"]["images"] == 40


def test_every_class_occurs_and_every_image_has_an_object(shapes: Path) -> None:
    file = read_coco(shapes / "train.json")
    assert {a.category_id for a in file.annotations} == {1, 2, 3, 4, 5, 6}
    assert all(file.by_image.values())


@reads_masks
def test_boxes_and_areas_are_those_of_the_visible_mask(shapes: Path) -> None:
    file = read_coco(shapes / "train.json")
    for annotation in file.annotations:
        mask = decoded(annotation.segmentation)
        rows, columns = np.nonzero(mask)
        left, top, width, height = annotation.bbox
        assert (left, top) == (columns.min(), rows.min())
        assert (left + width, top + height) == (columns.max() + 1, rows.max() + 1)
        assert annotation.area == mask.sum()


def test_masks_do_not_overlap_and_enough_of_each_object_shows() -> None:
    for index in range(30):
        pixels, instances = draw_scene(np.random.default_rng(index), 128)
        assert pixels.shape == (128, 128, 3)
        assert pixels.dtype == np.uint8
        assert np.sum([one.mask for one in instances], axis=0).max() <= 1
        assert all(one.mask.sum() >= MIN_VISIBLE * one.area for one in instances)


def test_colour_does_not_tell_the_class() -> None:
    means: dict[int, list[np.ndarray]] = {}
    for index in range(150):
        pixels, instances = draw_scene(np.random.default_rng([9, index]), 64)
        for one in instances:
            means.setdefault(one.category, []).append(pixels[one.mask].mean(axis=0))
    centres = np.array([np.mean(values, axis=0) for _, values in sorted(means.items())])
    errors = np.array([np.std(values, axis=0) / np.sqrt(len(values)) for _, values in sorted(means.items())])
    assert (np.abs(centres - centres.mean(axis=0)) < 4 * errors).all()


@reads_masks
@given(hnp.arrays(bool, st.tuples(st.integers(1, 7), st.integers(1, 7))))
def test_run_lengths_are_what_pycocotools_reads(mask: np.ndarray) -> None:
    encoding = run_lengths(mask)
    assert sum(encoding["counts"]) == mask.size
    assert np.array_equal(decoded(encoding), mask)
    json.dumps(encoding)


def test_nothing_is_left_when_it_cannot_be_finished(tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        assert total == 5
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path / "shapes", train=3, val=2, size=64, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match=r"cannot be written to file/shapes .*; free room"):
        generate(tmp_path / "file" / "shapes", train=1, val=1, size=64)


def test_a_complete_folder_is_left_alone_and_can_be_removed(tmp_path: Path) -> None:
    folder = tmp_path / "shapes"
    generate(folder, train=1, val=1, size=64)
    before = (folder / "train.json").stat().st_mtime_ns
    generate(folder, train=1, val=1, size=64)
    assert (folder / "train.json").stat().st_mtime_ns == before
    remove(folder)
    remove(folder)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("parameter", "value"), [("train", 0), ("val", 0), ("size", 8), ("size", 10_000), ("seed", -1)]
)
def test_impossible_parameters_are_refused(tmp_path: Path, parameter: str, value: int) -> None:
    with pytest.raises(InvalidInput, match=f"{parameter} of a shapes dataset is {value}; take"):
        generate(tmp_path / "shapes", **{parameter: value})


def test_drawing_is_quick() -> None:
    began = time.process_time()
    for index in range(20):
        draw_scene(np.random.default_rng(index), 128)
    assert (time.process_time() - began) / 20 < 0.05
