"""The slow half of a registration: a dataset is checked whole, before any transaction is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.datasets.coco import CocoFile, read_coco
from backend.datasets.headers import Progress, check_images, shifted
from backend.datasets.image_folders import images_folder
from backend.datasets.paths import short
from backend.datasets.problems import Problems
from backend.datasets.statistics import statistics
from backend.datasets.summary import Statistics
from backend.errors import InvalidInput


@dataclass(frozen=True)
class Inspected:
    """A dataset without fault, ready to be stored; the fields are those of the table."""

    kind: str
    train: Path
    val: Path
    images: Path
    val_images: Path
    files: dict[str, list[tuple[int, str]]]
    categories: list[dict[str, Any]]
    has_masks: bool
    counts: dict[str, dict[str, int]]
    statistics: Statistics


def inspect_coco(
    train: Path,
    val: Path,
    images: Path,
    progress: Progress | None = None,
    *,
    val_images: Path | None = None,
    kind: str = "coco",
) -> Inspected:
    """Check two annotation files and every image they name; paths are absolute.

    `images` holds the images of both splits, or a folder of images for each (see `images_folder`); where the
    validation images lie elsewhere, `val_images` does the same for them.

    Raises one `InvalidInput` that counts all problems and tells the first five. `progress` is told
    (images looked at, images in all).
    """
    roots = {"train": images, "val": val_images or images}
    for root in roots.values():
        if not root.is_dir():
            raise InvalidInput(f"{short(root)} is no folder; name the folder that holds the images")
    problems = Problems()
    training, validation = _read(train, "training", problems), _read(val, "validation", problems)
    files = {split: file for split, file in (("train", training), ("val", validation)) if file}
    if training and validation and not problems.count:
        _compare_categories(training, validation, problems)
    folders = {split: images_folder(roots[split], file) for split, file in files.items()}
    total, before = sum(len(file.images) for file in files.values()), 0
    for split, file in files.items():
        check_images(file, folders[split], problems, shifted(progress, before, total))
        before += len(file.images)
    problems.raise_any()
    return described(kind, files["train"], files["val"], folders["train"], folders["val"])


def described(
    kind: str, train: CocoFile, val: CocoFile, images: Path, val_images: Path | None = None
) -> Inspected:
    """Return what the table keeps of a dataset whose files are known to be good."""
    return Inspected(
        kind=kind,
        train=train.path,
        val=val.path,
        images=images,
        val_images=val_images or images,
        files={"train": _files(train), "val": _files(val)},
        categories=[category._asdict() for category in train.categories],
        has_masks=train.has_masks and val.has_masks,
        counts={"train": _counts(train), "val": _counts(val)},
        statistics=statistics(train, val),
    )


def _read(path: Path, split: str, problems: Problems) -> CocoFile | None:
    before = problems.count
    try:
        file = read_coco(path, problems)
    except InvalidInput as error:
        problems.add(str(error))
        return None
    # Faulty entries are left out: whether the set is empty can only be said of a clean file.
    if not file.instances and problems.count == before:
        problems.add(
            f"{short(path)}: the {split} set is empty ({len(file.images)} images, no annotated object); "
            "name a file with at least one annotation"
        )
    return file


def _compare_categories(train: CocoFile, val: CocoFile, problems: Problems) -> None:
    different = sorted(set(train.categories) ^ set(val.categories))
    if different:
        has, lacks = (train, val) if different[0] in train.categories else (val, train)
        problems.add(
            f"{short(lacks.path)}: lacks category {different[0].id} ({different[0].name}) of {short(has.path)}; "
            "list the same categories in both files"
        )


def _counts(file: CocoFile) -> dict[str, int]:
    return {"images": len(file.images), "annotations": len(file.annotations)}


def _files(file: CocoFile) -> list[tuple[int, str]]:
    return [(image.id, image.file_name) for image in file.images]
