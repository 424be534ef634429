"""A registered dataset."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, UtcDateTime, now


class Dataset(Base):
    """A COCO-format dataset: two annotation files and a folder of images, checked when registered."""

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
    categories: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """`[{"id": 1, "name": "nucleus"}, …]`, sorted by id; class k of a detector is entry k-1."""
    has_masks: Mapped[bool] = mapped_column()
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)
    """`{"train": {"images": n, "annotations": n}, "val": {…}}`."""
    statistics: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """Histograms of each split and some images to show; null where it was registered before they were made."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
