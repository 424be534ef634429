"""What is drawn over a sample image: names where they have room, files of the size that is shown."""

from __future__ import annotations

import pytest

from backend.datasets.summary import Sample, SampleBox
from frontend.dataset_samples import COLOURS, ShownSample, shown_sample


def shown(
    *boxes: tuple[int, float, float], size: tuple[int, int] = (660, 496), annotations: int = 0, **more: bool
) -> ShownSample:
    """Show an image with boxes of (category, width, height)."""
    listed = [SampleBox(category=k, box=(1, 2, width, height), crowd=False) for k, width, height in boxes]
    sample = Sample(
        split="train",
        image_id=1,
        width=size[0],
        height=size[1],
        annotations=annotations or len(listed),
        boxes=listed,
    )
    return shown_sample(sample, [f"class {k}" for k in range(9)], **{"boxes": True, **more})


def test_a_name_stands_on_boxes_that_have_room_for_it() -> None:
    # The tile is half as wide as the image: a name of 7 letters takes 87 of its pixels, and two lines 44.
    wide, narrow, flat = shown((0, 90, 50), (0, 80, 50), (0, 90, 40)).boxes
    assert (wide.words, narrow.words, flat.words) == ("class 0", "", "")
    assert {wide.title, narrow.title, flat.title} == {"class 0"}


def test_one_category_needs_no_names() -> None:
    sample = Sample(
        split="val",
        image_id=1,
        width=100,
        height=80,
        annotations=1,
        boxes=[SampleBox(category=0, box=(0, 0, 90, 70), crowd=True)],
    )
    (box,) = shown_sample(sample, ["cell"], boxes=True).boxes
    assert (box.words, box.title) == ("", "cell (crowd)")


def test_the_most_frequent_categories_are_counted_and_colours_come_in_turn() -> None:
    found = shown(*[(k, 5, 5) for k in (7, 7, 7, 2, 2, 0, 1, 3, 4)], annotations=20)
    assert found.counts[:2] == [("class 7", 7 % COLOURS, 3), ("class 2", 2, 2)]
    assert (len(found.counts), found.more, found.left_out) == (4, 2, 11)
    assert [box.colour for box in found.boxes[:1]] == [7 % COLOURS]


def test_without_boxes_the_category_is_still_told() -> None:
    found = shown((3, 660, 496), boxes=False)
    assert (found.boxes, found.counts) == ([], [("class 3", 3, 1)])


@pytest.mark.parametrize(
    ("size", "sources"),
    [
        ((640, 480), [(640, 640)]),
        ((480, 640), [(640, 480)]),
        ((1280, 960), [(640, 640), (1600, 1280)]),
        ((2000, 4000), [(640, 320), (1600, 800)]),
    ],
)
def test_files_are_as_wide_as_they_say(size: tuple[int, int], sources: list[tuple[int, int]]) -> None:
    assert shown(size=size).sources == sources
