"""Where a split's images lie: in the folder that was named, or in one of its own below it, as COCO is downloaded."""

from __future__ import annotations

from pathlib import Path

from backend.datasets.coco import CocoFile


def images_folder(root: Path, file: CocoFile) -> Path:
    """Return `root`, or its subfolder for which the annotation file is named and which holds the first image.

    COCO's `annotations/instances_train2017.json` names `000000000009.jpg`, which lies in `train2017/`: a subfolder
    is the split's own where the annotation file's name ends in the subfolder's.
    """
    if not file.images or (root / file.images[0].file_name).exists():
        return root
    first, stem = file.images[0].file_name, file.path.stem
    # Of train2017 and 2017 the longer name says more.
    named = sorted((one for one in root.iterdir() if _names(one.name, stem)), key=lambda one: -len(one.name))
    return next((one for one in named if (one / first).exists()), root)


def _names(folder: str, stem: str) -> bool:
    before = stem.removesuffix(folder)
    return before != stem and not before[-1:].isalnum()
