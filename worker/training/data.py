"""What a model trains on and is judged by: images with boxes, or the boxes' crops with their class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, overload

import torch
from torch import Tensor
from torch.nn import functional

from backend.datasets.annotations import Annotation
from backend.datasets.coco import CocoFile
from backend.errors import InvalidInput
from worker.training.images import ImageStore
from worker.training.masks import decode_masks, demand_masks

CONTEXT = 1.2
"""Side of a crop, relative to the longer side of its box: a classifier sees a little of what lies around."""


class Example(NamedTuple):
    """An image, uint8 (3, H, W), and its target.

    A detector's target holds `boxes` (N, 4), float32 x0, y0, x1, y1 in pixels, `labels` (N,) from 1 and, where
    masks are learnt, `masks` (N, H, W), uint8 zeros and ones; a classifier's holds `label` () from 0.
    """

    image: Tensor
    target: dict[str, Tensor]


class ExampleSet(Protocol):
    """A fixed list of examples, in an order of its own that no seed changes."""

    in_memory: bool
    """Whether reading an example again is fast."""

    def __len__(self) -> int:
        """Return how many there are."""

    def read(self, number: int, flip: bool = False) -> Example:
        """Return example `number`, mirrored left to right if `flip`."""


class DetectionSet:
    """The images of a COCO file by rising id, also those without annotations. Crowds are no objects to learn.

    With `masks`, targets hold them too; an object without one raises `InvalidInput`.
    """

    def __init__(self, coco: CocoFile, folder: Path, masks: bool = False) -> None:
        if masks:
            demand_masks(coco.annotations, coco.path)
        self._coco, self._masks = coco, masks
        self._images = sorted(coco.images)
        self._store = ImageStore(folder, self._images)
        self.in_memory = self._store.in_memory

    def __len__(self) -> int:
        return len(self._images)

    def image_id(self, number: int) -> int:
        """Return the id that the COCO file gives the image."""
        return self._images[number].id

    def read(self, number: int, flip: bool = False) -> Example:
        """Return an image with its boxes, clipped to it, their labels 1 … number of categories, and their masks."""
        entry = self._images[number]
        image = self._store.read(entry.id)
        objects = [a for a in self._coco.by_image[entry.id] if not a.iscrowd]
        boxes = torch.tensor([a.bbox for a in objects], dtype=torch.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        boxes[:, 0::2] = boxes[:, 0::2].clamp(0, entry.width)
        boxes[:, 1::2] = boxes[:, 1::2].clamp(0, entry.height)
        labels = torch.tensor([self._coco.labels[a.category_id] for a in objects], dtype=torch.int64)
        target = {"boxes": boxes, "labels": labels}
        if self._masks:
            target["masks"] = decode_masks(objects, entry)
        example = Example(image, target)
        return mirrored(example) if flip else example


class CropSet:
    """The boxes of a COCO file, by image id and annotation id, each cut out and resized to a square."""

    def __init__(self, coco: CocoFile, folder: Path, size: int) -> None:
        self._coco, self._size = coco, size
        objects = (a for a in coco.annotations if not a.iscrowd)
        self._objects = sorted(objects, key=lambda a: (a.image_id, a.id))
        self._store = ImageStore(folder, coco.images)
        self.in_memory = self._store.in_memory

    def __len__(self) -> int:
        return len(self._objects)

    def read(self, number: int, flip: bool = False) -> Example:
        """Return a crop of the set's size and its class from 0."""
        annotation = self._objects[number]
        crop = _crop(self._store.read(annotation.image_id), annotation, self._size)
        example = Example(crop, {"label": torch.tensor(self._coco.labels[annotation.category_id] - 1)})
        return mirrored(example) if flip else example


def example_set(architecture: str, coco: CocoFile, folder: Path, image_size: int) -> DetectionSet | CropSet:
    """Return what an architecture trains on. Raises `InvalidInput` for a file that holds nothing of it."""
    examples = (
        CropSet(coco, folder, image_size)
        if architecture == "classifier"
        else DetectionSet(coco, folder, masks=architecture == "mask_rcnn")
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
        return as_float(self._examples.read(range(self._count)[index]).image)


def mirrored(example: Example) -> Example:
    """Return an example mirrored left to right; what it holds of positions moves along."""
    width, target = example.image.shape[-1], dict(example.target)
    if "boxes" in target:
        x0, y0, x1, y1 = target["boxes"].unbind(1)
        target["boxes"] = torch.stack([width - x1, y0, width - x0, y1], dim=1)
    if "masks" in target:
        target["masks"] = target["masks"].flip(-1)
    return Example(example.image.flip(-1), target)


def as_float(image: Tensor) -> Tensor:
    """Return uint8 values 0 … 255 as float32 values 0 … 1."""
    return image.float().div_(255)


def _crop(image: Tensor, annotation: Annotation, size: int) -> Tensor:
    """Cut out a square around the box, moved into the image where it would leave it, and resize it."""
    left, top, width, height = annotation.bbox
    side = CONTEXT * max(width, height)
    x0, x1 = _span(left + width / 2, side, image.shape[2])
    y0, y1 = _span(top + height / 2, side, image.shape[1])
    cut = image[None, :, y0:y1, x0:x1].float()
    resized = functional.interpolate(cut, size=(size, size), mode="bilinear", antialias=True)
    return resized[0].round().clamp(0, 255).to(torch.uint8)


def _span(centre: float, side: float, limit: int) -> tuple[int, int]:
    length = max(1, min(round(side), limit))
    start = min(max(0, round(centre - length / 2)), limit - length)
    return start, start + length
