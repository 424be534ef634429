"""A COCO annotation file, read into types and checked (format: https://cocodataset.org/#format-data)."""

from __future__ import annotations

import codecs
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import from_json

from backend.datasets.annotations import (
    Annotation,
    Image,
    annotation_problem,
    as_annotation,
    is_degenerate,
    whole,
)
from backend.datasets.paths import climbing_problem, short
from backend.datasets.problems import Problems
from backend.errors import InvalidInput

LONGEST_NAME = 90
"""Letters of a category's name: its metric, such as mask_ap/NAME, is stored in a column of 100."""
Report = Callable[[str], None]


class Category(NamedTuple):
    """A class of objects; ids need not be contiguous."""

    id: int
    name: str


class CocoFile:
    """A checked annotation file.

    `categories` are sorted by id, so that class k of a detector is entry k-1 (0 is the background); `images` and
    `annotations` keep the file's order, and images without annotations stay. `degenerate` are the ids of annotations
    that were left out because their box has no width or no height: nothing can be learnt from them, and their size
    is no number to divide by.
    """

    def __init__(
        self,
        path: Path,
        categories: tuple[Category, ...],
        images: tuple[Image, ...],
        annotations: tuple[Annotation, ...],
        degenerate: tuple[int, ...] = (),
    ) -> None:
        self.path = path
        self.categories = categories
        self.images = images
        self.annotations = annotations
        self.degenerate = degenerate

    @cached_property
    def labels(self) -> dict[int, int]:
        """Category id -> class number of a detector, 1 … number of categories."""
        return {category.id: number for number, category in enumerate(self.categories, start=1)}

    @cached_property
    def by_image(self) -> dict[int, list[Annotation]]:
        """Image id -> its annotations, crowds included; an empty list where there are none."""
        grouped: dict[int, list[Annotation]] = {image.id: [] for image in self.images}
        with _garbage_collector_paused():
            for annotation in self.annotations:
                grouped[annotation.image_id].append(annotation)
        return grouped

    @cached_property
    def instances(self) -> int:
        """How many annotations are single objects, not crowds."""
        return sum(not annotation.iscrowd for annotation in self.annotations)

    @cached_property
    def has_masks(self) -> bool:
        """Whether every single object has a mask."""
        return all(annotation.iscrowd or annotation.segmentation for annotation in self.annotations)


def read_coco(path: Path, problems: Problems | None = None) -> CocoFile:
    """Read and check an annotation file; images are not opened (see `headers.check_images`).

    Raises `InvalidInput` when the file is no COCO file at all. Faulty entries are added to `problems` and left
    out; without `problems` they raise one `InvalidInput` that counts them.
    """
    found = Problems() if problems is None else problems

    def report(sentence: str) -> None:
        found.add(f"{short(path)}: {sentence}")

    with _garbage_collector_paused():
        content = _content(path)
        categories = tuple(sorted(_categories(content["categories"], report)))
        images = tuple(_images(content["images"], report))
        known = frozenset(category.id for category in categories)
        degenerate: list[int] = []
        annotations = tuple(_annotations(content["annotations"], known, images, report, degenerate))
    if problems is None:
        found.raise_any()
    return CocoFile(path, categories, images, annotations, tuple(degenerate))


@contextmanager
def _garbage_collector_paused() -> Iterator[None]:
    # It would walk the millions of small lists of a large file again and again: two thirds of the reading time.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _content(path: Path) -> dict[str, list[Any]]:
    name = short(path)
    try:
        content = from_json(path.read_bytes().removeprefix(codecs.BOM_UTF8))
    except FileNotFoundError:
        raise InvalidInput(f"{name} does not exist; check the path of the annotation file") from None
    except OSError as error:
        raise InvalidInput(
            f"{name} cannot be read ({error.strerror}); name a readable annotation file"
        ) from None
    except ValueError as error:
        raise InvalidInput(f"{name} is not JSON ({error}); name a COCO annotation file") from None
    for key in ("images", "annotations", "categories"):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise InvalidInput(
                f"{name} is not a COCO annotation file: it has no list '{key}'; "
                "convert it to COCO's object detection format"
            )
    checked: dict[str, list[Any]] = content
    return checked


def _entries(raw: list[Any], what: str, plural: str, report: Report) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (id, entry) of the entries that are objects with an id of their own."""
    seen: set[int] = set()
    for position, entry in enumerate(raw):
        number = whole(entry.get("id")) if isinstance(entry, dict) else None
        if number is None or abs(number) >= 2**63:
            report(f"entry {position} of '{plural}' has no whole number as its id; give it one")
        elif number in seen:
            report(f"{what} id {number} is used twice; give every {what} its own id")
        else:
            seen.add(number)
            yield number, entry


def _categories(raw: list[Any], report: Report) -> Iterator[Category]:
    for number, entry in _entries(raw, "category", "categories", report):
        name = entry.get("name")
        if not isinstance(name, str) or not name.strip():
            report(f"category {number} has no name; give it one")
        elif "\0" in name or len(name) > LONGEST_NAME:
            report(
                f"category {number} has a name that holds a NUL or is longer than {LONGEST_NAME} letters; shorten it"
            )
        else:
            yield Category(number, name)


def _images(raw: list[Any], report: Report) -> Iterator[Image]:
    for number, entry in _entries(raw, "image", "images", report):
        width, height = whole(entry.get("width")), whole(entry.get("height"))
        file_name = entry.get("file_name")
        if width is None or height is None or width < 1 or height < 1:
            report(f"image {number} has no width and height in whole pixels; add them")
        elif not isinstance(file_name, str):
            report(f"image {number} has no file_name; add it")
        elif problem := climbing_problem(file_name, "the images folder"):
            report(f"image {number} has the file_name {problem}")
        else:
            yield Image(number, file_name, width, height)


def _annotations(
    raw: list[Any],
    categories: frozenset[int],
    images: tuple[Image, ...],
    report: Report,
    degenerate: list[int],
) -> Iterator[Annotation]:
    known = {image.id: image for image in images}
    for number, entry in _entries(raw, "annotation", "annotations", report):
        problem = annotation_problem(entry, known, categories)
        if problem:
            report(f"annotation {number} {problem}")
        elif is_degenerate(entry["bbox"]):
            degenerate.append(number)
        else:
            yield as_annotation(number, entry)
