"""Images sorted into one folder for each class, as classifiers train on: `train/CLASS/…` and `val/CLASS/…`.

Every image becomes one object whose box is the whole image.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from backend.datasets.annotations import Annotation, Image
from backend.datasets.coco import Category, CocoFile
from backend.datasets.headers import BATCH, THREADS, Progress, shifted, size_or_problem
from backend.datasets.paths import climbing_problem, short
from backend.datasets.problems import Problems
from backend.errors import InvalidInput

SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""Those of torchvision's ImageFolder."""

Member = tuple[int, str]
"""A category's id, and a file relative to the split's folder."""


def convert_folders(
    train: Path, val: Path, problems: Problems, progress: Progress | None = None
) -> tuple[CocoFile, CocoFile]:
    """Return two folders of class folders as COCO files whose paths are the folders'.

    Categories are the training folder's classes by name; every image is opened for its size. Faulty images are added
    to `problems` and left out. `progress` is told (images opened, images in all).
    Raises `InvalidInput` where a folder is missing or empty, or the validation folder has a class of its own.
    """
    classes = _classes(train)
    foreign = sorted(set(_classes(val)) - set(classes))
    if foreign:
        raise InvalidInput(
            f"{short(val)} has the class '{foreign[0]}', which {short(train)} lacks; "
            "nothing could learn it: remove it or add images to train on"
        )
    categories = tuple(Category(number, name) for number, name in enumerate(classes, start=1))
    members = [_members(train, categories, every_class=True), _members(val, categories, every_class=False)]
    total, before, files = sum(map(len, members)), 0, []
    for folder, found in zip((train, val), members, strict=True):
        files.append(_split(folder, categories, found, problems, shifted(progress, before, total)))
        before += len(found)
    first, second = files
    return first, second


def _classes(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise InvalidInput(f"{short(folder)} is no folder; name one that holds a folder for each class")
    names = sorted(one.name for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))
    if not names:
        raise InvalidInput(f"{short(folder)} holds no folder; sort its images into one for each class")
    return names


def _members(folder: Path, categories: tuple[Category, ...], every_class: bool) -> list[Member]:
    found: list[Member] = []
    for category in categories:
        names = sorted(_images_below(folder / category.name))
        if every_class and not names:
            raise InvalidInput(
                f"{short(folder)} has no image of the class '{category.name}'; add some or remove the folder"
            )
        found += [(category.id, f"{category.name}/{name}") for name in names]
    if not found:
        raise InvalidInput(
            f"{short(folder)} holds no image ({', '.join(SUFFIXES)}); put some into its folders"
        )
    return found


def _images_below(folder: Path) -> Iterator[str]:
    for place, _, names in os.walk(folder, followlinks=True):
        for name in names:
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield (Path(place) / name).relative_to(folder).as_posix()


def _split(
    folder: Path,
    categories: tuple[Category, ...],
    members: list[Member],
    problems: Problems,
    progress: Progress | None,
) -> CocoFile:
    images: list[Image] = []
    annotations: list[Annotation] = []
    batches = [members[start : start + BATCH] for start in range(0, len(members), BATCH)]
    done = 0
    with ThreadPoolExecutor(THREADS) as pool:
        for batch, sizes in zip(batches, pool.map(partial(_sizes, folder), batches), strict=True):
            for (category, name), size in zip(batch, sizes, strict=True):
                done += 1
                if isinstance(size, str):
                    problems.add(f"{short(folder)}: image {ascii(name)[1:-1]} {size}")
                    continue
                width, height = size
                images.append(Image(done, name, width, height))
                box = (0, 0, width, height)
                annotations.append(
                    Annotation(done, done, category, box, width * height, iscrowd=False, segmentation=None)
                )
            if progress:
                progress(done, len(members))
    return CocoFile(folder, categories, tuple(images), tuple(annotations))


def _sizes(folder: Path, batch: list[Member]) -> list[tuple[int, int] | str]:
    return [_size(folder, name) for _, name in batch]


def _size(folder: Path, name: str) -> tuple[int, int] | str:
    # A name that is not UTF-8, or reads as a path on another system, could be neither stored nor found again.
    if not name.isprintable() or climbing_problem(name, "the folder"):
        return "has a name that cannot be stored; rename it"
    return size_or_problem(folder, name)
