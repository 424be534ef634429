"""Queries on the datasets' table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from backend.models import Dataset, DatasetImage, Run


def by_id(session: Session, dataset_id: int) -> Dataset | None:
    """Return the dataset with this id, or None."""
    return session.get(Dataset, dataset_id)


def by_name(session: Session, name: str) -> Dataset | None:
    """Return the dataset of this name, or None."""
    return session.scalar(select(Dataset).where(Dataset.name == name))


def page(session: Session, offset: int, limit: int) -> Sequence[Dataset]:
    """Return at most `limit` datasets, oldest first, after the first `offset`."""
    return session.scalars(select(Dataset).order_by(Dataset.id).offset(offset).limit(limit)).all()


def newest(session: Session, limit: int) -> Sequence[Dataset]:
    """Return at most `limit` datasets, newest first."""
    return session.scalars(select(Dataset).order_by(Dataset.id.desc()).limit(limit)).all()


def runs_by_dataset(session: Session) -> dict[int, int]:
    """Return how many runs use each dataset that is used."""
    query = select(Run.dataset_id, func.count()).where(Run.dataset_id.is_not(None)).group_by(Run.dataset_id)
    return {dataset: number for dataset, number in session.execute(query) if dataset is not None}


def count(session: Session) -> int:
    """Return how many datasets there are."""
    return session.scalar(select(func.count()).select_from(Dataset)) or 0


def runs_on(session: Session, dataset_id: int) -> int:
    """Return how many runs use a dataset."""
    return session.scalar(select(func.count()).select_from(Run).where(Run.dataset_id == dataset_id)) or 0


def sharing_files(session: Session, train: str) -> int:
    """Return how many datasets have these training annotations."""
    return session.scalar(select(func.count()).select_from(Dataset).where(Dataset.train == train)) or 0


def add_images(session: Session, dataset_id: int, split: str, files: Iterable[tuple[int, str]]) -> None:
    """Store the file of each image of a split."""
    rows = [
        {"dataset_id": dataset_id, "split": split, "image_id": image_id, "file_name": file_name}
        for image_id, file_name in files
    ]
    if rows:
        session.execute(insert(DatasetImage), rows)


def remove_images(session: Session, dataset_id: int) -> None:
    """Forget the files of a dataset's images."""
    session.execute(delete(DatasetImage).where(DatasetImage.dataset_id == dataset_id))


def image(session: Session, dataset_id: int, split: str, image_id: int) -> DatasetImage | None:
    """Return the file of an image, or None."""
    return session.get(DatasetImage, (dataset_id, split, image_id))
