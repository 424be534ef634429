"""A dataset in numbers: counted by hand on small files, and of bounded size on large ones."""

from __future__ import annotations

import numpy as np
import pytest

from backend.datasets.annotations import Annotation, Image
from backend.datasets.coco import Category, CocoFile, read_coco
from backend.datasets.samples import BOXES_AT_MOST
from backend.datasets.statistics import SIZE_EDGES, statistics


def file_of(
    boxes: dict[int, list[tuple[float, float]]],
    sizes: dict[int, tuple[int, int]] | None = None,
    categories: int = 2,
) -> CocoFile:
    """Return a file from image id -> (side of a square object, category) and image id -> size."""
    path = __file__  # never read
    images = tuple(Image(k, f"{k}.png", *(sizes or {}).get(k, (400, 300))) for k in boxes)
    annotations = [
        Annotation(0, k, int(category), (0, 0, side, side), side * side, iscrowd=False, segmentation=None)
        for k, found in boxes.items()
        for side, category in found
    ]
    numbered = tuple(one._replace(id=k) for k, one in enumerate(annotations, 1))
    named = tuple(Category(k, f"class {k}") for k in range(1, categories + 1))
    return CocoFile(path, named, images, numbered)


def test_a_small_file_is_counted(coco) -> None:
    found = statistics(read_coco(coco.train), read_coco(coco.val)).splits["train"]
    assert (found.objects, found.crowds, found.images_without_objects, found.most_objects) == (2, 1, 1, 1)
    assert found.areas.model_dump() == {"small": 1, "medium": 1, "large": 0}
    assert found.objects_per_image.model_dump() == {"edges": [0, 1, 2], "counts": [1, 2]}
    assert found.image_sizes.model_dump() == {
        "step": 1,
        "groups": [{"width": 40, "height": 30, "images": 3}],
    }
    assert [one.model_dump() for one in found.categories] == [{"objects": 1, "images": 1}] * 2
    assert sum(found.sizes.counts) == 2


def test_cocos_bounds_part_small_medium_and_large_and_are_edges() -> None:
    file = file_of({1: [(31.99, 1), (32, 1), (95.9, 1), (96, 1), (0.5, 1), (9000, 1)]})
    found = statistics(file, file).splits["train"]
    assert found.areas.model_dump() == {"small": 2, "medium": 2, "large": 2}
    at = {edge: k for k, edge in enumerate(SIZE_EDGES)}
    counts = found.sizes.counts
    assert sum(counts[: at[32]]) == 2
    assert sum(counts[at[32] : at[96]]) == 2
    assert sum(counts[at[96] :]) == 2
    assert counts[0] == counts[-1] == 1, "what lies beyond the edges is in the outermost bins"


@pytest.mark.parametrize(
    ("most", "width", "bins"), [(1, 1, 2), (39, 1, 40), (40, 2, 21), (100, 5, 21), (1000, 50, 21)]
)
def test_objects_per_image_come_in_round_bins_that_splits_share(most: int, width: int, bins: int) -> None:
    train, val = file_of({1: [(20, 1)] * most, 2: []}), file_of({1: [(20, 1)]})
    found = statistics(train, val).splits
    histogram = found["train"].objects_per_image
    assert histogram.edges == found["val"].objects_per_image.edges
    assert np.diff(histogram.edges).tolist() == [width] * bins
    assert histogram.edges[-2] <= most < histogram.edges[-1]
    assert sum(histogram.counts) == 2
    assert histogram.counts[-1] == 1


def test_many_sizes_are_grouped() -> None:
    sizes = {k: (400 + k, 300 + k % 37) for k in range(1, 600)}
    file = file_of({k: [(20, 1)] for k in sizes}, sizes)
    found = statistics(file, file).splits["train"].image_sizes
    assert found.step > 1
    assert len(found.groups) <= 120
    assert sum(one.images for one in found.groups) == 599
    first = found.groups[0]
    assert (first.width % found.step, first.height % found.step) == (0, 0)


def test_samples_have_objects_are_spread_and_bounded() -> None:
    boxes = {k: [(20.0, 1.0)] * (k % 2) for k in range(1, 101)}
    boxes[51] = [(float(side), 2.0) for side in range(1, 200)]
    found = statistics(file_of(boxes), file_of({9: [(10, 2)]}))
    train = [one for one in found.samples if one.split == "train"]
    (val,) = [one for one in found.samples if one.split == "val"]
    assert len(train) == 8
    assert all(one.boxes for one in train)
    assert len({one.image_id for one in train}) == 8
    assert max(one.image_id for one in train) - min(one.image_id for one in train) > 70
    assert val.boxes[0].model_dump() == {"category": 1, "box": (0, 0, 10, 10), "crowd": False}


def test_of_a_crowded_sample_the_largest_boxes_are_kept() -> None:
    file = file_of({1: [(float(side), 1.0) for side in range(1, 200)]})
    sample = statistics(file, file).samples[0]
    assert (sample.annotations, len(sample.boxes)) == (199, BOXES_AT_MOST)
    assert sample.boxes[0].box[2] == 199
    assert sample.boxes[-1].box[2] == 100


def test_statistics_of_a_large_set_stay_small() -> None:
    rng = np.random.default_rng(0)
    boxes = {
        k: [(float(rng.uniform(1, 300)), float(rng.integers(1, 1204))) for _ in range(300)]
        for k in range(1, 60)
    }
    sizes = {k: (int(rng.integers(100, 4000)), int(rng.integers(100, 4000))) for k in boxes}
    file = file_of(boxes, sizes, categories=1203)
    assert len(statistics(file, file).model_dump_json()) < 250_000


def test_what_was_left_out_is_counted_and_the_first_are_named(coco) -> None:
    def add(content: dict) -> None:
        box = {"image_id": 1, "category_id": 3, "bbox": [1, 1, 0, 4]}
        content["annotations"] += [box | {"id": number} for number in range(100, 107)]

    coco.spoil(add)
    found = statistics(read_coco(coco.train), read_coco(coco.val))
    assert found.notes == [
        "data/train.json: left out 7 boxes of zero width or height (annotations 100, 101, 102, 103, 104, …)"
    ]
