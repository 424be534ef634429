"""A dataset in numbers, computed once from its checked files."""

from __future__ import annotations

from collections import Counter
from itertools import count

import numpy as np
from numpy.typing import NDArray

from backend.datasets.coco import CocoFile
from backend.datasets.paths import short
from backend.datasets.samples import choose_samples
from backend.datasets.summary import (
    Areas,
    CategoryCount,
    Histogram,
    ImageSizes,
    SizeGroup,
    SplitStatistics,
    Statistics,
)

SMALL, LARGE = 32, 96
"""COCO's bounds between small, medium and large objects: square roots of areas in pixels."""
SIZE_EDGES = tuple(round(SMALL * 3 ** (k / 4), 2) for k in range(-12, 21))
"""From 1.2 to 7776 pixels, four bins for each factor of 3, so that both of COCO's bounds are edges."""
BINS_AT_MOST = 40
SIZE_GROUPS_AT_MOST = 120
IDS_SHOWN = 5


def statistics(train: CocoFile, val: CocoFile) -> Statistics:
    """Return the statistics of a dataset; both splits share their bins."""
    most = max(_objects_by_image(file).max(initial=0) for file in (train, val))
    edges = _count_edges(int(most))
    return Statistics(
        splits={"train": _split(train, edges), "val": _split(val, edges)},
        samples=[*choose_samples("train", train), *choose_samples("val", val)],
        notes=[note for file in (train, val) if (note := _degenerate_note(file))],
    )


def _count_edges(most: int) -> NDArray[np.int64]:
    """Return edges of bins for 0 … `most`, each 1, 2, 5, 10, … wide."""
    widths = (digit * 10**power for power in count() for digit in (1, 2, 5))
    width = next(one for one in widths if most < BINS_AT_MOST * one)
    return np.arange(0, most + width + 1, width)


def _split(file: CocoFile, edges: NDArray[np.int64]) -> SplitStatistics:
    areas = np.array([one.area for one in file.annotations if not one.iscrowd], dtype=np.float64)
    by_image = _objects_by_image(file)
    return SplitStatistics(
        objects=len(areas),
        crowds=len(file.annotations) - len(areas),
        images_without_objects=int((by_image == 0).sum()),
        most_objects=int(by_image.max(initial=0)),
        left_out=len(file.degenerate),
        areas=Areas(
            small=int((areas < SMALL**2).sum()),
            medium=int(((areas >= SMALL**2) & (areas < LARGE**2)).sum()),
            large=int((areas >= LARGE**2).sum()),
        ),
        sizes=_histogram(np.sqrt(areas), np.array(SIZE_EDGES)),
        objects_per_image=_histogram(by_image, edges),
        image_sizes=_image_sizes(file),
        categories=_categories(file),
    )


def _objects_by_image(file: CocoFile) -> NDArray[np.int64]:
    counts = [sum(not one.iscrowd for one in found) for found in file.by_image.values()]
    return np.array(counts, dtype=np.int64)


def _histogram(values: NDArray[np.generic], edges: NDArray[np.generic]) -> Histogram:
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    return Histogram(edges=edges.tolist(), counts=np.bincount(bins, minlength=len(edges) - 1).tolist())


def _image_sizes(file: CocoFile) -> ImageSizes:
    step = 1
    sizes = Counter((image.width, image.height) for image in file.images)
    while len(groups := _grouped(sizes, step)) > SIZE_GROUPS_AT_MOST:
        step *= 2
    ordered = sorted(groups.items(), key=lambda item: (-item[1], item[0]))
    return ImageSizes(
        step=step,
        groups=[SizeGroup(width=width, height=height, images=n) for (width, height), n in ordered],
    )


def _grouped(sizes: Counter[tuple[int, int]], step: int) -> Counter[tuple[int, int]]:
    groups: Counter[tuple[int, int]] = Counter()
    for (width, height), images in sizes.items():
        groups[width // step * step, height // step * step] += images
    return groups


def _categories(file: CocoFile) -> list[CategoryCount]:
    objects = Counter(one.category_id for one in file.annotations if not one.iscrowd)
    pairs = {(one.category_id, one.image_id) for one in file.annotations if not one.iscrowd}
    images = Counter(category for category, _ in pairs)
    return [CategoryCount(objects=objects[one.id], images=images[one.id]) for one in file.categories]


def _degenerate_note(file: CocoFile) -> str | None:
    boxes = len(file.degenerate)
    if not boxes:
        return None
    shown = ", ".join(map(str, file.degenerate[:IDS_SHOWN])) + (", …" if boxes > IDS_SHOWN else "")
    what, which = ("1 box", "annotation") if boxes == 1 else (f"{boxes} boxes", "annotations")
    return f"{short(file.path)}: left out {what} of zero width or height ({which} {shown})"
