"""Registration as a server needs it: the slow part lies between two short transactions.

Checking or generating takes seconds to minutes, and on SQLite a writing session holds the one lock: every
trainer would wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from backend.database import Database
from backend.datasets import service
from backend.datasets.conversion.inspection import inspect_folders, inspect_voc
from backend.datasets.conversion.own_files import own_folder
from backend.datasets.headers import Progress
from backend.datasets.inspection import Inspected, inspect_coco
from backend.datasets.shapes import ShapesParameters
from backend.models import Dataset
from backend.settings import Settings


def register_coco(
    database: Database,
    name: str,
    train: Path,
    val: Path,
    images: Path,
    progress: Progress | None = None,
    *,
    val_images: Path | None = None,
) -> Dataset:
    """Check a COCO dataset whole and store it; for its folders see `inspect_coco`.

    Raises one `InvalidInput` for all its problems, and `Conflict` where the name is taken.
    """
    with database.reading() as session:
        service.expect_free(session, name)
    inspected = inspect_coco(
        train.absolute(),
        val.absolute(),
        images.absolute(),
        progress,
        val_images=val_images.absolute() if val_images else None,
    )
    with database.writing() as session:
        return service.add(session, name, inspected)


def register_voc(
    database: Database,
    settings: Settings,
    name: str,
    root: Path,
    progress: Progress | None = None,
    *,
    train: str = "train",
    val: str = "val",
) -> Dataset:
    """Convert two lists of a Pascal VOC folder, check their images, and store the dataset; errors as above."""
    return _register_converted(
        database, settings, name, partial(inspect_voc, root.absolute(), train, val, progress)
    )


def register_folders(
    database: Database,
    settings: Settings,
    name: str,
    train: Path,
    val: Path,
    progress: Progress | None = None,
) -> Dataset:
    """Convert two folders of class folders and store them as one dataset; errors as above."""
    return _register_converted(
        database, settings, name, partial(inspect_folders, train.absolute(), val.absolute(), progress)
    )


def _register_converted(
    database: Database, settings: Settings, name: str, inspect: Callable[[Path], Inspected]
) -> Dataset:
    with database.reading() as session:
        service.expect_free(session, name)
    with own_folder(settings.generated) as folder:
        inspected = inspect(folder)
        with database.writing() as session:
            return service.add(session, name, inspected)


def check_again(database: Database, dataset_id: int, progress: Progress | None = None) -> Dataset:
    """Check a stored dataset's files anew, and store what they are now: counts, statistics, images' files.

    Raises as a registration does, and `Conflict` where the categories are others than before.
    """
    with database.reading() as session:
        dataset = service.get(session, dataset_id)
    images = {split: Path(dataset.images_of(split)) for split in ("train", "val")}
    inspected = inspect_coco(
        Path(dataset.train),
        Path(dataset.val),
        images["train"],
        progress,
        val_images=images["val"],
        kind=dataset.kind,
    )
    with database.writing() as session:
        return service.renew(session, dataset_id, inspected)


def register_shapes(
    database: Database,
    settings: Settings,
    name: str = "shapes",
    parameters: ShapesParameters | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Generate the shapes dataset and store it; where it is stored already under this name, return that one.

    Raises `Conflict` where the name belongs to another dataset.
    """
    chosen = parameters or ShapesParameters()
    with database.reading() as session:
        service.expect_free(session, name, service.shapes_folder(settings, chosen))
    inspected = service.prepare_shapes(settings, chosen, progress)
    with database.writing() as session:
        return service.add(session, name, inspected)
