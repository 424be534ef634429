"""Registration as a server needs it: the slow part lies between two short transactions.

Checking or generating takes seconds to minutes, and on SQLite a writing session holds the one lock: every
trainer would wait for it.
"""

from __future__ import annotations

from pathlib import Path

from backend.database import Database
from backend.datasets import service
from backend.datasets.headers import Progress
from backend.datasets.inspection import inspect_coco
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
