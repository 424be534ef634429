"""What is kept of a dataset to be looked at: numbers of bounded size, however many images there are."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

Split = Literal["train", "val"]


class Areas(BaseModel):
    """Objects by COCO's three sizes: an area below 32², below 96², and from there."""

    small: int
    medium: int
    large: int


class Histogram(BaseModel):
    """Bin k counts what lies from `edges[k]` to below `edges[k + 1]`; the first and last take what lies beyond."""

    edges: list[float]
    counts: list[int]


class SizeGroup(BaseModel):
    """Images of about one size: up to `step` - 1 pixels wider and higher than it says."""

    width: int
    height: int
    images: int


class ImageSizes(BaseModel):
    """How large the images are."""

    step: int = Field(description="1 where the groups are exact sizes.")
    groups: list[SizeGroup] = Field(description="Most frequent first.")


class CategoryCount(BaseModel):
    """How often a category occurs; crowds are no objects."""

    objects: int
    images: int


class SplitStatistics(BaseModel):
    """One split in numbers. Objects are annotations that are no crowd; sizes are square roots of areas, in pixels."""

    objects: int
    crowds: int
    images_without_objects: int
    most_objects: int = Field(description="In one image.")
    left_out: int = Field(description="Annotations whose box has no width or no height.")
    areas: Areas
    sizes: Histogram
    objects_per_image: Histogram
    image_sizes: ImageSizes
    categories: list[CategoryCount] = Field(description="In the order of the dataset's categories.")


class SampleBox(BaseModel):
    """An object of a sample image: its category's place in the list, and its box in pixels."""

    category: int
    box: tuple[float, float, float, float] = Field(description="left, top, width, height")
    crowd: bool


class Sample(BaseModel):
    """An image to show, with its largest boxes."""

    split: Split
    image_id: int
    width: int
    height: int
    annotations: int
    boxes: list[SampleBox]


class Statistics(BaseModel):
    """What a dataset's page, `eigenscope datasets show` and the API tell of it; made when it is registered."""

    splits: dict[Split, SplitStatistics]
    samples: list[Sample]
    notes: list[str] = Field(description="What was left out, in sentences.")
