"""One annotation of a COCO file: its type, and what can be wrong with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

Segmentation = list[list[float]] | dict[str, Any]

TOLERANCE = 1.0
"""Pixels by which a box may reach over its image's edge; COCO's own boxes do, by rounding."""


class Image(NamedTuple):
    """An image; `file_name` is relative to the images folder, width and height are in pixels."""

    id: int
    file_name: str
    width: int
    height: int


class Annotation(NamedTuple):
    """One object, or a crowd of them; `bbox` is (left, top, width, height) in pixels, `area` in square pixels.

    The box is the file's own and may reach up to one pixel over the edge. `segmentation` is a list of
    polygons [x0, y0, x1, y1, …], a run-length encoding {"size": [height, width], "counts": …}, or None.
    """

    id: int
    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]
    area: float
    iscrowd: bool
    segmentation: Segmentation | None


def whole(value: Any) -> int | None:
    """Return `value` as an int where it is a whole number (1 or 1.0, but not true), else None."""
    if type(value) is int:
        return value
    return int(value) if type(value) is float and value.is_integer() else None


def as_annotation(number: int, entry: dict[str, Any]) -> Annotation:
    """Return the typed annotation of an entry that `annotation_problem` found no fault with."""
    left, top, width, height = entry["bbox"]
    area = entry.get("area")
    return Annotation(
        number,
        int(entry["image_id"]),
        int(entry["category_id"]),
        (left, top, width, height),
        width * height if area is None else area,
        bool(entry.get("iscrowd")),
        entry.get("segmentation") or None,
    )


def annotation_problem(
    entry: dict[str, Any], images: Mapping[int, Image], categories: frozenset[int]
) -> str | None:
    """Return what is wrong with an entry and how to mend it, as the predicate of a sentence; None if nothing."""
    image_id, category_id = whole(entry.get("image_id")), whole(entry.get("category_id"))
    image = images.get(image_id) if image_id is not None else None
    if image is None:
        return (
            f"belongs to image {entry.get('image_id')!r}, which is not listed (or is faulty itself); "
            "add the image or remove the annotation"
        )
    if category_id not in categories:
        return (
            f"of image {image.id} has the unknown category {entry.get('category_id')!r}; "
            "add it to 'categories' or correct the annotation"
        )
    if entry.get("iscrowd") not in (0, 1, None):
        return f"of image {image.id} has iscrowd {entry['iscrowd']!r}; write 0 or 1"
    problem = (
        _box_problem(entry.get("bbox"), image)
        or _area_problem(entry.get("area"))
        or _mask_problem(entry.get("segmentation"), image)
    )
    return f"of image {image.id} ({image.file_name}) {problem}" if problem else None


def is_degenerate(box: list[float]) -> bool:
    """Whether a box without fault has no width or no height; COCO's own training file has two of them."""
    return box[2] == 0 or box[3] == 0


def _box_problem(box: Any, image: Image) -> str | None:
    if not isinstance(box, list) or len(box) != 4 or not _numbers(box):
        return f"has the bbox {box!r}; write [left, top, width, height] as four numbers"
    left, top, width, height = box
    if width < 0 or height < 0:
        return f"has a box of negative size {box}; correct it or remove the annotation"
    right, bottom = left + width, top + height
    inside = (
        min(left, top) >= -TOLERANCE
        and right <= image.width + TOLERANCE
        and bottom <= image.height + TOLERANCE
    )
    hidden = min(right, bottom) <= 0 or left >= image.width or top >= image.height
    if not inside or (hidden and not is_degenerate(box)):
        return (
            f"has the box {box}, which reaches outside the image of {image.width} x {image.height} pixels; "
            "correct the box ([left, top, width, height]) or the image's declared size"
        )
    return None


def _area_problem(area: Any) -> str | None:
    if area is None or (_numbers([area]) and area >= 0):
        return None
    return f"has the area {area!r}; write square pixels or leave it out"


def _mask_problem(mask: Any, image: Image) -> str | None:
    if not mask:
        return None
    if isinstance(mask, dict):
        if mask.get("size") == [image.height, image.width] and isinstance(mask.get("counts"), str | list):
            return None
        return (
            f"has a run-length mask that does not fit the image; its size must be "
            f"[{image.height}, {image.width}], with counts"
        )
    if isinstance(mask, list) and all(map(_is_polygon, mask)):
        return None
    return "has a malformed mask; a polygon is a list of at least three x, y pairs"


def _is_polygon(polygon: Any) -> bool:
    return isinstance(polygon, list) and len(polygon) >= 6 and len(polygon) % 2 == 0 and _numbers(polygon)


def _numbers(values: list[Any]) -> bool:
    """Whether all values are finite numbers; `fsum` walks them at C speed, which matters for COCO's 40 million.

    Unlike `sum` it takes each as a float, so that two whole numbers beyond all floats cannot cancel each other.
    """
    try:
        return math.isfinite(math.fsum(values))
    except (TypeError, OverflowError, ValueError):
        return False
