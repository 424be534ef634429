"""Annotation files that a conversion writes below the home folder: there whole, or not at all."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.datasets.annotations import Annotation
from backend.datasets.coco import CocoFile
from backend.datasets.paths import short
from backend.errors import Unavailable


@contextmanager
def own_folder(root: Path) -> Iterator[Path]:
    """Yield the path of a new folder in `root` for a dataset's files; it is removed where the block fails."""
    folder = root / f"converted-{uuid.uuid4().hex[:12]}"
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def write_files(folder: Path, train: CocoFile, val: CocoFile) -> tuple[CocoFile, CocoFile]:
    """Write `folder`/train.json and val.json, and return the same files with these paths.

    Raises `Unavailable` when the disk refuses; `folder` then does not exist.
    """
    partial = folder.with_name(f".{folder.name}")
    try:
        partial.mkdir(parents=True)
        for name, file in (("train.json", train), ("val.json", val)):
            (partial / name).write_text(json.dumps(_content(file)), encoding="utf-8")
        partial.rename(folder)
    except OSError as error:
        raise Unavailable(
            f"the converted annotations cannot be written to {short(folder)} ({error.strerror}); "
            "free room there or set EIGENSCOPE_HOME to another disk"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return _moved(train, folder / "train.json"), _moved(val, folder / "val.json")


def _moved(file: CocoFile, path: Path) -> CocoFile:
    return CocoFile(path, file.categories, file.images, file.annotations)


def _content(file: CocoFile) -> dict[str, Any]:
    return {
        "categories": [category._asdict() for category in file.categories],
        "images": [image._asdict() for image in file.images],
        "annotations": [_entry(annotation) for annotation in file.annotations],
    }


def _entry(annotation: Annotation) -> dict[str, Any]:
    entry = annotation._asdict()
    entry["iscrowd"] = int(annotation.iscrowd)
    if annotation.segmentation is None:
        del entry["segmentation"]
    return entry
