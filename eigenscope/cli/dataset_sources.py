"""Where `eigenscope datasets add` takes a dataset from: one of four kinds of files, told by the options given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer

from backend.datasets import registration
from backend.datasets.headers import Progress
from backend.models import Dataset
from eigenscope.instance import Instance

KINDS = "--train, --val and --images (COCO), --voc ROOT, or --folders ROOT"


@dataclass(frozen=True, slots=True)
class Source:
    """The options that name files; those that were not given are None."""

    train: Path | None
    val: Path | None
    images: Path | None
    val_images: Path | None
    voc: Path | None
    folders: Path | None
    train_set: str | None
    val_set: str | None

    def register(self, instance: Instance, name: str, progress: Progress) -> Dataset:
        """Check the files and store them under `name`. Raises `BadParameter` where they are of no one kind."""
        database, settings = instance.database, instance.settings
        files = (self.train, self.val, self.images, self.val_images)
        if sum((any(files), self.voc is not None, self.folders is not None)) > 1:
            raise typer.BadParameter(f"name one dataset: {KINDS}")
        if self.voc:
            train_set, val_set = self.train_set or "train", self.val_set or "val"
            return registration.register_voc(
                database, settings, name, self.voc, progress, train=train_set, val=val_set
            )
        if self.train_set or self.val_set:
            raise typer.BadParameter("--train-set and --val-set name lists of --voc ROOT")
        if self.folders:
            train, val = self.folders / "train", self.folders / "val"
            return registration.register_folders(database, settings, name, train, val, progress)
        if self.train and self.val and self.train.is_dir() and self.val.is_dir() and not self.images:
            return registration.register_folders(database, settings, name, self.train, self.val, progress)
        if not (self.train and self.val and self.images):
            raise typer.BadParameter(f"name a dataset's files: {KINDS}")
        return registration.register_coco(
            database, name, self.train, self.val, self.images, progress, val_images=self.val_images
        )
