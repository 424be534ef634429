"""Batches in the order that `sampling` lays down, read in this process or by helpers beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from backend.errors import EigenscopeError
from backend.runs.specification import TrainingSpecification
from worker.training.data import ExampleSet, as_float
from worker.training.examples import Example
from worker.training.sampling import Order

MAX_READERS = 8


class Batch(NamedTuple):
    """Images, float32 (3, H_i, W_i) in 0 … 1, and their targets, on the device that trains."""

    images: list[Tensor]
    targets: list[dict[str, Tensor]]


Read = list[Example] | EigenscopeError
"""A batch, or why it cannot be read: raised in a reader, an error would arrive as a page of its traceback."""


class _Schedule(Dataset[Read]):
    """The examples of each iteration, as DataLoader wants to see them."""

    def __init__(self, examples: ExampleSet, order: Order, share: slice) -> None:
        self._examples, self._order, self._share = examples, order, share

    def __getitem__(self, iteration: int) -> Read:
        try:
            draws = self._order.batch(iteration)[self._share]
            return [self._examples.read(draw.number, draw.view) for draw in draws]
        except EigenscopeError as error:
            return error


class _Split(Dataset[Read]):
    """The images of each batch of a split, first to last."""

    def __init__(self, examples: ExampleSet, batch_size: int) -> None:
        self._examples, self._batch_size = examples, batch_size

    def numbers(self, batch: int) -> range:
        """Return which examples a batch holds."""
        first = batch * self._batch_size
        return range(first, min(first + self._batch_size, len(self._examples)))

    def __getitem__(self, batch: int) -> Read:
        try:
            return [self._examples.judged(number) for number in self.numbers(batch)]
        except EigenscopeError as error:
            return error


def training_batches(
    examples: ExampleSet,
    training: TrainingSpecification,
    iterations: range,
    device: torch.device,
    share: slice = slice(None),
) -> Iterator[Batch]:
    """Yield the batch of each iteration, or one process's `share` of it; the same iteration always has the same batch.

    What takes time to read is read by processes of their own, which also draw masks and resize images; none draws
    from a global random generator. Raises `InvalidInput` for an image that cannot be used.
    """
    schedule = _Schedule(examples, Order(examples.upright, training), share)
    yield from _read(schedule, iterations, reader_count(examples, training, device), device)


def validation_batches(
    examples: ExampleSet, batch_size: int, device: torch.device
) -> Iterator[tuple[range, Batch]]:
    """Yield all examples in order, with their numbers; targets hold what is needed to judge a classifier."""
    split = _Split(examples, batch_size)
    batches = range(-(-len(examples) // batch_size))
    readers = reader_count(examples, None, device)
    for number, batch in enumerate(_read(split, batches, readers, device)):
        yield split.numbers(number), batch


def to_device(examples: list[Example], device: torch.device) -> Batch:
    """Move examples, as bytes, and make their values floats there."""
    images = [as_float(e.image.to(device, non_blocking=True)) for e in examples]
    targets = [{k: v.to(device, non_blocking=True) for k, v in e.target.items()} for e in examples]
    return Batch(images, targets)


def _read(dataset: Dataset[Read], keys: range, readers: int, device: torch.device) -> Iterator[Batch]:
    loader: DataLoader[Read] = DataLoader(
        dataset,
        batch_size=None,
        sampler=keys,
        num_workers=readers,
        collate_fn=_unchanged,
        pin_memory=device.type == "cuda",
        generator=torch.Generator(),
    )
    for batch in loader:
        if isinstance(batch, EigenscopeError):
            raise batch
        yield to_device(batch, device)


def _unchanged(batch: Read) -> Read:
    return batch


def reader_count(examples: ExampleSet, training: TrainingSpecification | None, device: torch.device) -> int:
    """Return how many processes are to read beside this one.

    None where images lie in memory, unless a GPU would have to wait for masks or resizing: a CPU that trains would
    only share its cores with them.
    """
    slow = training is not None and (examples.masks or training.image_size_min is not None)
    if examples.in_memory and not (slow and device.type == "cuda"):
        return 0
    return min(MAX_READERS, max(1, (os.cpu_count() or 1) - 1))
