"""A sample image of a dataset with what is drawn over it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from backend.datasets.summary import Sample, SampleBox

COLOURS = 6
"""Classes of colour in dataset.css: categories take them in turn."""
TILE = (330, 248)
"""Pixels that a tile is about wide and high: names are written in their size."""
TEXT = 11
CHARACTER = 6.2
"""Width of a character of `TEXT` pixels, roughly."""
SIZES = (640, 1600)
"""Longer sides of the image in its tile and enlarged."""
NAMES_SHOWN = 4
LONGEST_NAME = 24


@dataclass(frozen=True)
class ShownBox:
    """A box in pixels of the image; `words` stand on it where they have room, `title` is said on hover."""

    left: float
    top: float
    width: float
    height: float
    colour: int
    crowd: bool
    title: str
    words: str


@dataclass(frozen=True)
class ShownSample:
    """An image with its boxes; `text` is the height of names in pixels of the image."""

    split: str
    image_id: int
    width: int
    height: int
    sources: list[tuple[int, int]]
    """(size to ask for, width that comes) of the files a browser may choose from, the small one first."""
    text: float
    boxes: list[ShownBox]
    left_out: int
    """Annotations beyond those drawn."""
    counts: list[tuple[str, int, int]]
    """(name, colour, number) of the most frequent categories in it."""
    more: int
    """Categories beyond those."""


def shown_sample(sample: Sample, names: list[str], boxes: bool) -> ShownSample:
    """Return what a page draws; without `boxes` (of whole images) the category is told and no box drawn."""
    scale = max(sample.width / TILE[0], sample.height / TILE[1])
    counted = Counter(one.category for one in sample.boxes).most_common()
    return ShownSample(
        split=sample.split,
        image_id=sample.image_id,
        width=sample.width,
        height=sample.height,
        sources=_sources(sample.width, sample.height),
        text=round(TEXT * scale, 2),
        boxes=[_shown_box(one, names[one.category], scale, len(names) > 1) for one in sample.boxes]
        if boxes
        else [],
        left_out=sample.annotations - len(sample.boxes),
        counts=[(names[k], k % COLOURS, count) for k, count in counted[:NAMES_SHOWN]],
        more=max(0, len(counted) - NAMES_SHOWN),
    )


def _sources(width: int, height: int) -> list[tuple[int, int]]:
    longer = max(width, height)
    # Images are never enlarged: where the small one is the whole, there is no other.
    sizes = [size for k, size in enumerate(SIZES) if k == 0 or longer > SIZES[k - 1]]
    return [(size, round(width * min(1.0, size / longer))) for size in sizes]


def _shown_box(one: SampleBox, name: str, scale: float, several: bool) -> ShownBox:
    left, top, width, height = one.box
    words = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    # A name on every box of a crowd of cells would hide the cells, and of one category there is nothing to tell.
    fits = several and len(words) * CHARACTER * scale <= width and 2 * TEXT * scale <= height
    title = f"{name} (crowd)" if one.crowd else name
    return ShownBox(left, top, width, height, one.category % COLOURS, one.crowd, title, words if fits else "")
