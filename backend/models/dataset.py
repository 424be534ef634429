"""A registered dataset, and which file each of its images is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, UtcDateTime, now


class Dataset(Base):
    """A COCO-format dataset: two annotation files and their images' folders, checked when registered."""

    __tablename__ = "datasets"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - read once by the mapper

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    """`coco`, `voc` or `folders` (converted on registration), or `shapes` (generated)."""
    train: Mapped[str] = mapped_column(String(4096))
    """Absolute path of the training annotations."""
    val: Mapped[str] = mapped_column(String(4096))
    """Absolute path of the validation annotations."""
    images: Mapped[str] = mapped_column(String(4096))
    """Absolute path of the folder that `file_name` is relative to."""
    val_images: Mapped[str | None] = mapped_column(String(4096))
    """The same for the validation split where it has a folder of its own; null where both share `images`."""
    categories: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """`[{"id": 1, "name": "nucleus"}, …]`, sorted by id; class k of a detector is entry k-1."""
    has_masks: Mapped[bool] = mapped_column()
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)
    """`{"train": {"images": n, "annotations": n}, "val": {…}}`."""
    statistics: Mapped[dict[str, Any] | None] = mapped_column(JSON, deferred=True)
    """A `backend.datasets.summary.Statistics`; null where it was registered before they were made.

    Read when it is asked for, within the session: it takes tens of kilobytes, and launching a run needs none of it.
    """
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    def images_of(self, split: str) -> str:
        """Return the absolute path of the images' folder of `train` or `val`."""
        return self.val_images if split == "val" and self.val_images else self.images


class DatasetImage(Base):
    """The file of one image, so that showing it does not read an annotation file of hundreds of megabytes."""

    __tablename__ = "dataset_images"

    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True)
    split: Mapped[str] = mapped_column(String(5), primary_key=True)
    """`train` or `val`."""
    image_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """The id that the annotation file gives it."""
    file_name: Mapped[str] = mapped_column(String(4096))
    """Relative to the split's folder, checked not to climb out of it."""
