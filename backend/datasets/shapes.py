"""The generated dataset `shapes`: COCO files with exact boxes and masks, drawn from a seed."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from backend.datasets.drawing.outlines import CLASSES
from backend.datasets.drawing.scene import Instance, draw_scene
from backend.datasets.paths import short
from backend.errors import InvalidInput, Unavailable

VERSION = 1
"""Of the drawing; raise it with any change that alters a pixel, so that folders of before are not taken for new."""
SPLITS = ("train", "val")
LIMITS = {"train": (1, 100_000), "val": (1, 100_000), "size": (64, 2048), "seed": (0, 2**31 - 1)}
"""Parameter -> least and greatest value."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ShapesParameters:
    """What determines every byte of a generated dataset, for a given numpy and Pillow."""

    train: int = 400
    """Images to train on."""
    val: int = 60
    """Images to validate on."""
    size: int = 128
    """Side of an image in pixels."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise `InvalidInput` for a value out of its limits."""
        for name, (least, greatest) in LIMITS.items():
            value = getattr(self, name)
            if not least <= value <= greatest:
                raise InvalidInput(f"{name} of a shapes dataset is {value}; take {least} to {greatest}")

    @property
    def folder_name(self) -> str:
        """One folder for one set of parameters."""
        return f"shapes-v{VERSION}-{self.train}-{self.val}-{self.size}px-seed{self.seed}"


def generate(
    folder: Path,
    seed: int = 0,
    train: int = 400,
    val: int = 60,
    size: int = 128,
    progress: Progress | None = None,
) -> None:
    """Write `folder`/train.json, val.json and images/; nothing where `folder` exists, since it is then complete.

    Image k of a split depends on seed, split and k only, so that a larger set begins with a smaller one.
    `progress` is told (images drawn, images in all). Raises `InvalidInput` for a parameter out of its limits and
    `Unavailable` when the disk refuses; `folder` then does not exist.
    """
    parameters = ShapesParameters(train=train, val=val, size=size, seed=seed)
    if folder.exists():
        return
    partial = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    try:
        (partial / "images").mkdir(parents=True)
        for split in SPLITS:
            _write_split(partial, split, parameters, progress)
        partial.rename(folder)
    except OSError as error:
        # Another process may have been faster: its bytes are the same.
        if not folder.exists():
            raise Unavailable(
                f"the shapes dataset cannot be written to {short(folder)} ({error.strerror}); "
                "free room there or set EIGENSCOPE_HOME to another disk"
            ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def remove(folder: Path) -> None:
    """Delete a generated dataset; a deletion that is cut short leaves no folder that looks complete."""
    if folder.exists():
        shutil.rmtree(folder.rename(folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")))


def _write_split(folder: Path, split: str, parameters: ShapesParameters, progress: Progress | None) -> None:
    count = parameters.train if split == "train" else parameters.val
    before = 0 if split == "train" else parameters.train
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index in range(count):
        rng = np.random.default_rng([parameters.seed, SPLITS.index(split), index])
        pixels, instances = draw_scene(rng, parameters.size)
        name = f"{split}_{index:06d}.png"
        # Noise does not compress; the quickest level is within a tenth of the smallest file.
        PIL.Image.fromarray(pixels).save(folder / "images" / name, compress_level=1)
        image_id = index + 1
        images.append(
            {"id": image_id, "file_name": name, "width": parameters.size, "height": parameters.size}
        )
        annotations += [
            _annotation(len(annotations) + k, image_id, one) for k, one in enumerate(instances, 1)
        ]
        if progress:
            progress(before + index + 1, parameters.train + parameters.val)
    content = {
        "info": {
            "description": f"Generated shapes, {split}",
            "version": str(VERSION),
            "seed": parameters.seed,
        },
        "categories": [{"id": number, "name": name} for number, name in enumerate(CLASSES, start=1)],
        "images": images,
        "annotations": annotations,
    }
    (folder / f"{split}.json").write_text(json.dumps(content), encoding="utf-8")


def _annotation(number: int, image_id: int, instance: Instance) -> dict[str, Any]:
    rows, columns = (np.flatnonzero(instance.mask.any(axis=axis)) for axis in (1, 0))
    left, top = int(columns[0]), int(rows[0])
    return {
        "id": number,
        "image_id": image_id,
        "category_id": instance.category,
        "bbox": [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top],
        "area": int(instance.mask.sum()),
        "iscrowd": 0,
        "segmentation": run_lengths(instance.mask),
    }


def run_lengths(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Return COCO's uncompressed run-length encoding of a (height, width) mask: column by column, zeros first.

    Polygons could not say that a ring has a hole.
    """
    flat = np.concatenate([[False], mask.ravel(order="F"), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    # Runs of zeros and ones take turns; the last edge is the end of the mask where a one is there.
    bounds = np.concatenate([[0], edges, [mask.size] if not len(edges) or edges[-1] != mask.size else []])
    return {"size": list(mask.shape), "counts": np.diff(bounds).astype(int).tolist()}
