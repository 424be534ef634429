"""Whether the images of an annotation file are there, and of the size it declares."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import PIL.Image

from backend.datasets.annotations import Image
from backend.datasets.coco import CocoFile
from backend.datasets.paths import short
from backend.datasets.pictures import BITS_PROBLEM
from backend.datasets.problems import Problems

Progress = Callable[[int, int], None]

THREADS = 16
"""More than cores: on a network disk the time goes into waiting."""
BATCH = 64
"""Images a task takes at once: a task of its own for each would cost as much as opening it."""


def check_images(file: CocoFile, folder: Path, problems: Problems, progress: Progress | None = None) -> None:
    """Add a sentence to `problems` for each image that is missing, unreadable or of another size.

    Only headers are read. `progress` is told (images done, images in all) from the calling thread.
    """
    check = partial(_batch_problems, folder=folder)
    batches = [file.images[start : start + BATCH] for start in range(0, len(file.images), BATCH)]
    done = 0
    with ThreadPoolExecutor(THREADS) as pool:
        for batch, found in zip(batches, pool.map(check, batches), strict=True):
            for problem in found:
                problems.add(f"{short(file.path)}: {problem}")
            done += len(batch)
            if progress:
                progress(done, len(file.images))


def shifted(progress: Progress | None, before: int, total: int) -> Progress | None:
    """Return the progress of a part that has `before` done before it, of `total` in all."""
    return (lambda done, _of: progress(before + done, total)) if progress else None


def size_or_problem(folder: Path, file_name: str) -> tuple[int, int] | str:
    """Return an image's width and height, or why it cannot be used as the predicate of a sentence."""
    try:
        with PIL.Image.open(folder / file_name) as opened:
            size, mode = opened.size, opened.mode
    except FileNotFoundError:
        return (
            f"is missing in the folder {short(folder)}; add the file, remove its entry or name another folder"
        )
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        reason = str(error).replace(str(folder), short(folder))
        return f"cannot be read as an image ({reason}); replace the file or remove its entry"
    return BITS_PROBLEM if mode.startswith(("I", "F")) else size


def _batch_problems(batch: tuple[Image, ...], folder: Path) -> list[str]:
    return [problem for image in batch if (problem := _image_problem(image, folder))]


def _image_problem(image: Image, folder: Path) -> str | None:
    name = f"image {image.id} ({image.file_name})"
    found = size_or_problem(folder, image.file_name)
    if isinstance(found, str):
        return f"{name} {found}"
    if found != (image.width, image.height):
        width, height = found
        return (
            f"{name} is {width} x {height} pixels, but declared as {image.width} x {image.height}; "
            "correct the entry's width and height"
        )
    return None
