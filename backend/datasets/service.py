"""Store, find and delete datasets. The caller owns the transaction; `registration` checks them before it is open."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.datasets import repository
from backend.datasets.coco import read_coco
from backend.datasets.headers import Progress
from backend.datasets.inspection import Inspected, described
from backend.datasets.shapes import ShapesParameters, generate, remove
from backend.errors import Conflict, InvalidInput, NotFound
from backend.models import Dataset
from backend.settings import Settings

MISSING = "files-missing"
"""A folder that nobody makes: where it is named, there are no files."""
logger = logging.getLogger(__name__)


def shapes_folder(settings: Settings, parameters: ShapesParameters) -> Path:
    """Return where the generated dataset of these parameters lies, or would."""
    return settings.generated / parameters.folder_name


def missing_paths(settings: Settings) -> dict[str, str]:
    """Return the columns of a dataset whose files are not on this machine, as one that came with imported runs.

    Registering a dataset of its name and categories gives it its files.
    """
    folder = settings.home / MISSING
    return {"train": str(folder / "train.json"), "val": str(folder / "val.json"), "images": str(folder)}


def is_missing(dataset: Dataset) -> bool:
    """Return whether a dataset came with imported runs and has no files here yet."""
    return Path(dataset.train).parent.name == MISSING


def prepare_shapes(
    settings: Settings, parameters: ShapesParameters, progress: Progress | None = None
) -> Inspected:
    """Generate the dataset unless its folder is there, and describe it."""
    folder = shapes_folder(settings, parameters)
    generate(
        folder,
        seed=parameters.seed,
        train=parameters.train,
        val=parameters.val,
        size=parameters.size,
        progress=progress,
    )
    train, val = (read_coco(folder / f"{split}.json") for split in ("train", "val"))
    return described("shapes", train, val, folder / "images")


def expect_free(session: Session, name: str, generated: Path | None = None) -> None:
    """Raise unless a dataset may be stored under `name`.

    That is `InvalidInput` for a blank or overlong name, and `Conflict` for a taken one, unless it is taken by the
    shapes dataset in the folder `generated`.
    """
    if not name.strip() or name != name.strip() or not name.isprintable() or len(name) > 200:
        raise InvalidInput(
            f"the dataset name {name!r} is not 1 to 200 printable characters without blanks around them; "
            "choose another"
        )
    existing = repository.by_name(session, name)
    if (
        existing
        and not is_missing(existing)
        and (generated is None or not _is_generated_in(existing, generated))
    ):
        what = Path(existing.images).parent.name if existing.kind == "shapes" else existing.kind
        raise Conflict(
            f"a dataset named '{name}' exists already (id {existing.id}, {what}); "
            "choose another name or delete that one"
        )


def add(session: Session, name: str, inspected: Inspected) -> Dataset:
    """Store a checked dataset; raises as `expect_free` does."""
    generated = inspected.images.parent if inspected.kind == "shapes" else None
    expect_free(session, name, generated)
    existing = repository.by_name(session, name)
    if existing and is_missing(existing):
        _demand_counts(existing, inspected)
        return renew(session, existing.id, inspected)
    if existing:
        return existing
    dataset = Dataset(name=name, categories=inspected.categories, **_columns(inspected))
    try:
        with session.begin_nested():
            session.add(dataset)
    except IntegrityError:
        raise Conflict(f"a dataset named '{name}' was stored just now; choose another name") from None
    for split, files in inspected.files.items():
        repository.add_images(session, dataset.id, split, files)
    return dataset


def _demand_counts(missing: Dataset, inspected: Inspected) -> None:
    """Refuse to give a dataset that imported runs were trained on the files of another one."""
    if missing.counts != inspected.counts:
        told, found = (counts["train"]["images"] for counts in (missing.counts, inspected.counts))
        raise Conflict(
            f"dataset '{missing.name}' came with imported runs, and these are other files than theirs ({found} "
            f"training images, not {told}, or other annotations); register them under another name"
        )


def renew(session: Session, dataset_id: int, inspected: Inspected) -> Dataset:
    """Store what a dataset's files are now. Raises `NotFound`, and `Conflict` where they have other categories."""
    dataset = get(session, dataset_id)
    if dataset.categories != inspected.categories:
        raise Conflict(
            f"the files of dataset '{dataset.name}' name other categories than before, which its runs could not "
            "stand for; register them as a new dataset"
        )
    for column, value in _columns(inspected).items():
        setattr(dataset, column, value)
    repository.remove_images(session, dataset_id)
    for split, files in inspected.files.items():
        repository.add_images(session, dataset_id, split, files)
    return dataset


def _columns(inspected: Inspected) -> dict[str, Any]:
    return {
        "kind": inspected.kind,
        "train": str(inspected.train),
        "val": str(inspected.val),
        "images": str(inspected.images),
        "val_images": str(inspected.val_images) if inspected.val_images != inspected.images else None,
        "has_masks": inspected.has_masks,
        "counts": inspected.counts,
        "statistics": inspected.statistics.model_dump(mode="json"),
    }


def get(session: Session, dataset_id: int) -> Dataset:
    """Return a dataset; raises `NotFound`."""
    dataset = repository.by_id(session, dataset_id)
    if dataset is None:
        raise NotFound(f"there is no dataset {dataset_id}; list them to see what there is")
    return dataset


def by_name(session: Session, name: str) -> Dataset:
    """Return the dataset of this name; raises `NotFound`."""
    dataset = repository.by_name(session, name)
    if dataset is None:
        raise NotFound(f"there is no dataset named '{name}'; list them to see what there is")
    return dataset


def image_file(session: Session, dataset_id: int, split: str, image_id: int) -> Path:
    """Return where an image of `train` or `val` lies; raises `NotFound`."""
    dataset = get(session, dataset_id)
    found = repository.image(session, dataset_id, split, image_id)
    if found is None:
        raise NotFound(f"dataset '{dataset.name}' has no image {image_id} in its {split} split")
    return Path(dataset.images_of(split)) / found.file_name


def listing(session: Session, offset: int = 0, limit: int = 1000) -> Sequence[Dataset]:
    """Return at most `limit` datasets, oldest first, after the first `offset`."""
    return repository.page(session, offset, limit)


def count(session: Session) -> int:
    """Return how many datasets there are."""
    return repository.count(session)


def delete(session: Session, settings: Settings, dataset_id: int) -> None:
    """Remove a dataset; generated and converted files go when the transaction is committed, others stay.

    Raises `NotFound`, and `Conflict` while runs use it.
    """
    dataset = get(session, dataset_id)
    runs = repository.runs_on(session, dataset_id)
    if runs:
        users = "1 run; delete it" if runs == 1 else f"{runs} runs; delete them"
        raise Conflict(f"dataset '{dataset.name}' is used by {users} first")
    try:
        with session.begin_nested():
            session.delete(dataset)
    except IntegrityError:
        raise Conflict(
            f"dataset '{dataset.name}' is used by a run launched just now; delete it first"
        ) from None
    folder = Path(dataset.train).parent
    ours = dataset.kind != "coco" and folder.parent == settings.generated
    if ours and not repository.sharing_files(session, dataset.train):
        event.listen(session, "after_commit", partial(_remove_files, folder), once=True)


def _is_generated_in(dataset: Dataset, folder: Path) -> bool:
    return dataset.kind == "shapes" and Path(dataset.images).parent == folder


def _remove_files(folder: Path, _session: Session) -> None:
    try:
        remove(folder)
    except OSError as error:
        # The row is gone for good; files that stay behind cost room, not truth.
        logger.warning(
            "%s of a deleted dataset cannot be removed (%s); remove it by hand", folder, error.strerror
        )
