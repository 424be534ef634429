"""What a model trains on and is judged by: images with boxes, or the boxes' crops with their class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, overload

import torch
from torch import Tensor

from backend.datasets.annotations import Image
from backend.datasets.coco import CocoFile
from backend.errors import InvalidInput
from backend.runs.specification import longest_side
from worker.training.crops import cut, square_around, window_within
from worker.training.examples import AS_IT_IS, Example, View, mirrored, resized
from worker.training.images import ImageStore
from worker.training.masks import decode_masks, demand_masks


class ExampleSet(Protocol):
    """A fixed list of examples, in an order of its own that no seed changes."""

    in_memory: bool
    """Whether an image, once read, is at hand."""
    masks: bool
    """Whether targets hold masks."""

    @property
    def upright(self) -> Sequence[bool]:
        """Of each example, whether it is shown higher than wide."""

    def __len__(self) -> int:
        """Return how many there are."""

    def image(self, number: int) -> Tensor:
        """Return the image of example `number` as it is, uint8 (3, H, W), not to be written to."""

    def read(self, number: int, view: View = AS_IT_IS) -> Example:
        """Return example `number`, shown in that way."""

    def judged(self, number: int) -> Example:
        """Return what evaluation needs of example `number`: its image, and the class of a crop."""


class DetectionSet:
    """The images of a COCO file by rising id, also those without annotations. Crowds are no objects to learn.

    With `masks`, targets hold them too; an object without one raises `InvalidInput`. `longest` bounds the longer side
    of an image that scale jitter resizes, in pixels.
    """

    def __init__(self, coco: CocoFile, folder: Path, masks: bool = False, longest: int | None = None) -> None:
        if masks:
            demand_masks(coco.annotations, coco.path)
        self._coco, self._longest = coco, longest
        self.masks = masks
        self._images = sorted(coco.images)
        self._store = ImageStore(folder, self._images)
        self.in_memory = self._store.in_memory
        self.upright = [image.height > image.width for image in self._images]

    def __len__(self) -> int:
        return len(self._images)

    def entry(self, number: int) -> Image:
        """Return what the COCO file says of the image: its id, file name and size."""
        return self._images[number]

    def image(self, number: int) -> Tensor:
        """Return an image alone."""
        return self._store.read(self._images[number].id)

    def read(self, number: int, view: View = AS_IT_IS) -> Example:
        """Return an image with its boxes, clipped to it, their labels 1 … number of categories, and their masks."""
        entry = self._images[number]
        objects = [a for a in self._coco.by_image[entry.id] if not a.iscrowd]
        boxes = torch.tensor([a.bbox for a in objects], dtype=torch.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        boxes[:, 0::2] = boxes[:, 0::2].clamp(0, entry.width)
        boxes[:, 1::2] = boxes[:, 1::2].clamp(0, entry.height)
        labels = torch.tensor([self._coco.labels[a.category_id] for a in objects], dtype=torch.int64)
        target = {"boxes": boxes, "labels": labels}
        if self.masks:
            target["masks"] = decode_masks(objects, entry)
        example = Example(self.image(number), target)
        if view.side is not None:
            example = resized(example, view.side, self._longest or view.side)
        return mirrored(example) if view.flip else example

    def judged(self, number: int) -> Example:
        """Return an image without its target: masks of the truth take long to draw, and are not looked at."""
        return Example(self.image(number), {})


class CropSet:
    """The boxes of a COCO file, by image id and annotation id, each cut out as a square and resized (see `crops`)."""

    def __init__(self, coco: CocoFile, folder: Path, size: int) -> None:
        self._coco, self._size = coco, size
        objects = (a for a in coco.annotations if not a.iscrowd)
        self._objects = sorted(objects, key=lambda a: (a.image_id, a.id))
        self._store = ImageStore(folder, coco.images)
        self.in_memory, self.masks = self._store.in_memory, False
        self.upright = [False] * len(self._objects)

    def __len__(self) -> int:
        return len(self._objects)

    def image(self, number: int) -> Tensor:
        """Return a crop alone."""
        return self.read(number).image

    def read(self, number: int, view: View = AS_IT_IS) -> Example:
        """Return a crop of the set's size and its class from 0."""
        annotation = self._objects[number]
        image = self._store.read(annotation.image_id)
        window = square_around(annotation, image.shape[1], image.shape[2])
        if view.side is not None:
            window = window_within(window, view.side / self._size, view.place)
        label = torch.tensor(self._coco.labels[annotation.category_id] - 1)
        example = Example(cut(image, window, self._size), {"label": label})
        return mirrored(example) if view.flip else example

    def judged(self, number: int) -> Example:
        """Return a crop and its class."""
        return self.read(number)


def example_set(architecture: str, coco: CocoFile, folder: Path, image_size: int) -> DetectionSet | CropSet:
    """Return what an architecture trains on. Raises `InvalidInput` for a file that holds nothing of it."""
    examples = (
        CropSet(coco, folder, image_size)
        if architecture == "classifier"
        else DetectionSet(coco, folder, architecture == "mask_rcnn", longest_side(image_size))
    )
    if len(examples) == 0 or coco.instances == 0:
        raise InvalidInput(f"{coco.path.name} holds no annotated object; take a dataset with annotations")
    return examples


class ProbeImages(Sequence[Tensor]):
    """The first `count` images (or all, if there are fewer), float32 (3, H, W) in 0 … 1, unmirrored.

    Each is read when it is asked for: a probe set takes no memory, however large it is.
    """

    def __init__(self, examples: ExampleSet, count: int) -> None:
        self._examples = examples
        self._count = min(count, len(examples))

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Tensor: ...

    @overload
    def __getitem__(self, index: slice) -> list[Tensor]: ...

    def __getitem__(self, index: int | slice) -> Tensor | list[Tensor]:
        """Return one image, or several."""
        if isinstance(index, slice):
            return [self[number] for number in range(self._count)[index]]
        return as_float(self._examples.image(range(self._count)[index]))


def as_float(image: Tensor) -> Tensor:
    """Return uint8 values 0 … 255 as float32 values 0 … 1."""
    return image.float().div_(255)
