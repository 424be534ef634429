"""Pascal VOC (http://host.robots.ox.ac.uk/pascal/VOC): one folder of XML files, one of images, lists of both.

An object that is marked difficult becomes a crowd: VOC neither trains on such objects nor counts a detection of
one as right or wrong, and `iscrowd` is the only mark that COCO's evaluation honours so (it overwrites `ignore`).
It matches crowds by the share of the detection that they cover, not by IoU.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from backend.datasets.annotations import Annotation, Image, annotation_problem
from backend.datasets.coco import Category, CocoFile
from backend.datasets.conversion.voc_xml import VocImage, read_voc
from backend.datasets.headers import Progress
from backend.datasets.paths import climbing_problem, short
from backend.datasets.problems import Problems
from backend.errors import InvalidInput

FOLDERS = ("Annotations", "ImageSets/Main", "JPEGImages")
SUFFIXES = (".jpg", ".jpeg", ".png")


class Listed(NamedTuple):
    """An image that a list names, with what its annotation file says."""

    number: int
    stem: str
    file_name: str
    found: VocImage


def convert_voc(
    root: Path, train: str, val: str, problems: Problems, progress: Progress | None = None
) -> tuple[CocoFile, CocoFile]:
    """Return two lists of a VOC folder as COCO files whose paths are the lists'; images are not opened.

    Faulty files are added to `problems` and left out. Categories are the classes of both lists by name. Images are
    numbered by their place in the list, from 1. `progress` is told (annotation files read, of how many).
    Raises `InvalidInput` where the folder is none of VOC, or a list is missing or empty.
    """
    _demand_voc(root)
    lists = [root / "ImageSets" / "Main" / f"{name}.txt" for name in (train, val)]
    stems = [_stems(path) for path in lists]
    files = _image_files(root / "JPEGImages")
    total, read, splits = sum(map(len, stems)), 0, []
    for names in stems:
        found = []
        for number, stem in enumerate(names, start=1):
            if listed := _listed(root, number, stem, files, problems):
                found.append(listed)
            read += 1
            if progress:
                progress(read, total)
        splits.append(found)
    classes = sorted({one.name for found in splits for listed in found for one in listed.found.objects})
    categories = tuple(Category(number, name) for number, name in enumerate(classes, start=1))
    first, second = (
        _as_coco(path, categories, found, problems) for path, found in zip(lists, splits, strict=True)
    )
    return first, second


def _demand_voc(root: Path) -> None:
    for name in FOLDERS:
        if not (root / name).is_dir():
            raise InvalidInput(
                f"{short(root)} has no folder {name}; name a folder such as VOCdevkit/VOC2007, which holds "
                f"{', '.join(FOLDERS)}"
            )


def _stems(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        there = ", ".join(sorted(one.stem for one in path.parent.glob("*.txt") if "_" not in one.stem))
        raise InvalidInput(f"{short(path)} does not exist; name one of the lists that do: {there}") from None
    except (OSError, UnicodeDecodeError):
        raise InvalidInput(f"{short(path)} cannot be read; it must list images, one a line") from None
    stems = [line.split()[0] for line in lines if line.strip()]
    if not stems:
        raise InvalidInput(f"{short(path)} lists no image; name a list with at least one")
    return stems


def _image_files(folder: Path) -> dict[str, str]:
    """Return stem -> file name; where a stem has several, .jpg goes first."""
    names = [one.name for one in folder.iterdir() if one.suffix.lower() in SUFFIXES]
    ranked = sorted(names, key=lambda name: -SUFFIXES.index(Path(name).suffix.lower()))
    return {Path(name).stem: name for name in ranked}


def _listed(root: Path, number: int, stem: str, files: dict[str, str], problems: Problems) -> Listed | None:
    if climbing_problem(stem, "the dataset") or "/" in stem or "\\" in stem:
        problems.add(f"ImageSets/Main lists {stem!r}, which is no image's name; remove the line")
    elif stem not in files:
        problems.add(f"image {stem} is missing in JPEGImages; add the file or remove it from the list")
    else:
        try:
            return Listed(number, stem, files[stem], read_voc(root / "Annotations" / f"{stem}.xml"))
        except InvalidInput as error:
            problems.add(f"Annotations/{stem}.xml {error}")
    return None


def _as_coco(
    path: Path, categories: tuple[Category, ...], listed: list[Listed], problems: Problems
) -> CocoFile:
    images = tuple(Image(one.number, one.file_name, one.found.width, one.found.height) for one in listed)
    numbers = {category.name: category.id for category in categories}
    annotations = tuple(_annotations(listed, images, numbers, problems))
    return CocoFile(path, categories, images, annotations)


def _annotations(
    listed: list[Listed], images: tuple[Image, ...], numbers: dict[str, int], problems: Problems
) -> Iterator[Annotation]:
    by_id = {image.id: image for image in images}
    known, count = frozenset(numbers.values()), 0
    for one in listed:
        for voc in one.found.objects:
            left, top, width, height = voc.bbox
            entry = {
                "image_id": one.number,
                "category_id": numbers[voc.name],
                "bbox": [left, top, width, height],
            }
            if problem := annotation_problem(entry, by_id, known):
                problems.add(f"Annotations/{one.stem}.xml: its {voc.name} {problem}")
                continue
            count += 1
            area = width * height
            yield Annotation(
                count, one.number, numbers[voc.name], voc.bbox, area, iscrowd=voc.difficult, segmentation=None
            )
