"""What the API takes and gives for datasets; no absolute path leaves the server."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.datasets.shapes import LIMITS, ShapesParameters
from backend.datasets.summary import Split, Statistics

DEFAULTS = ShapesParameters()


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CocoRegistration(_Body):
    """Files under the data root, in COCO format."""

    kind: Literal["coco"]
    name: str = Field(description="Of your choice, not yet taken.", min_length=1, max_length=200)
    train: str = Field(
        description="Training annotations, relative to the data root.", min_length=1, max_length=1000
    )
    val: str = Field(
        description="Validation annotations, relative to the data root.", min_length=1, max_length=1000
    )
    images: str = Field(
        description="Folder that `file_name` is relative to, itself relative to the data root; or the folder above it, "
        "where each split has one of its own that its annotation file is named for, such as `train2017`.",
        min_length=1,
        max_length=1000,
    )
    val_images: str | None = Field(
        None,
        description="The same for the validation images, where they lie elsewhere.",
        min_length=1,
        max_length=1000,
    )


class VocRegistration(_Body):
    """A Pascal VOC folder under the data root, such as `VOCdevkit/VOC2007`; its annotations are converted."""

    kind: Literal["voc"]
    name: str = Field(description="Of your choice, not yet taken.", min_length=1, max_length=200)
    root: str = Field(
        description="Folder of Annotations, ImageSets and JPEGImages, relative to the data root.",
        min_length=1,
        max_length=1000,
    )
    train: str = Field(
        "train", description="List in ImageSets/Main to train on.", pattern=r"^[\w.-]+$", max_length=100
    )
    val: str = Field(
        "val", description="List in ImageSets/Main to validate on.", pattern=r"^[\w.-]+$", max_length=100
    )


class FoldersRegistration(_Body):
    """Images sorted into folders, one for each class, for classifiers."""

    kind: Literal["folders"]
    name: str = Field(description="Of your choice, not yet taken.", min_length=1, max_length=200)
    train: str = Field(
        description="Folder of the classes' folders to train on, relative to the data root.",
        min_length=1,
        max_length=1000,
    )
    val: str = Field(
        description="Folder of the classes' folders to validate on, relative to the data root.",
        min_length=1,
        max_length=1000,
    )


class ShapesRegistration(_Body):
    """The generated dataset; the same parameters under the same name give the same dataset."""

    kind: Literal["shapes"]
    name: str = Field("shapes", description="Of your choice.", min_length=1, max_length=200)
    train: int = Field(
        DEFAULTS.train, description="Images to train on.", ge=LIMITS["train"][0], le=LIMITS["train"][1]
    )
    val: int = Field(
        DEFAULTS.val, description="Images to validate on.", ge=LIMITS["val"][0], le=LIMITS["val"][1]
    )
    size: int = Field(
        DEFAULTS.size,
        description="Side of an image in pixels.",
        ge=LIMITS["size"][0],
        le=LIMITS["size"][1],
    )
    seed: int = Field(
        DEFAULTS.seed, description="Of every random number.", ge=LIMITS["seed"][0], le=LIMITS["seed"][1]
    )


Registration = Annotated[
    CocoRegistration | VocRegistration | FoldersRegistration | ShapesRegistration, Field(discriminator="kind")
]


class CategoryItem(BaseModel):
    """A class of objects."""

    id: int
    name: str


class SplitCounts(BaseModel):
    """The size of a split."""

    images: int
    annotations: int


class DatasetItem(BaseModel):
    """A registered dataset."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    kind: str
    categories: list[CategoryItem]
    has_masks: bool
    counts: dict[Split, SplitCounts]
    created_at: datetime


class DatasetDetail(DatasetItem):
    """A registered dataset with its statistics, which are null where it was registered before they were made."""

    statistics: Statistics | None
