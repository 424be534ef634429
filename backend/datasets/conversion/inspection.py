"""Datasets of other formats, checked whole and converted; no transaction is open meanwhile."""

from __future__ import annotations

from pathlib import Path

from backend.datasets.coco import CocoFile
from backend.datasets.conversion.class_folders import convert_folders
from backend.datasets.conversion.own_files import write_files
from backend.datasets.conversion.voc import convert_voc
from backend.datasets.headers import Progress, check_images, shifted
from backend.datasets.inspection import Inspected, described
from backend.datasets.paths import short
from backend.datasets.problems import Problems


def inspect_voc(root: Path, train: str, val: str, progress: Progress | None, folder: Path) -> Inspected:
    """Convert the lists `train` and `val` of a Pascal VOC folder into COCO files in `folder`.

    Raises one `InvalidInput` for all problems; `folder` then does not exist. `progress` is told (files read, of how
    many): each image has an annotation file and its own.
    """
    problems = Problems()
    files = convert_voc(root, train, val, problems, _first_half(progress))
    count = sum(len(file.images) for file in files)
    before = count
    for file in files:
        _expect_objects(file, problems)
        check_images(file, root / "JPEGImages", problems, shifted(progress, before, 2 * count))
        before += len(file.images)
    problems.raise_any()
    return described("voc", *write_files(folder, *files), root / "JPEGImages")


def inspect_folders(train: Path, val: Path, progress: Progress | None, folder: Path) -> Inspected:
    """Convert two folders of class folders into COCO files in `folder`; raises as `inspect_voc` does."""
    problems = Problems()
    files = convert_folders(train, val, problems, progress)
    problems.raise_any()
    return described("folders", *write_files(folder, *files), train, val)


def _expect_objects(file: CocoFile, problems: Problems) -> None:
    if not file.instances and not problems.count:
        problems.add(
            f"{short(file.path)}: its {len(file.images)} images have no object that is not difficult; "
            "name a list with at least one"
        )


def _first_half(progress: Progress | None) -> Progress | None:
    return (lambda done, total: progress(done, 2 * total)) if progress else None
