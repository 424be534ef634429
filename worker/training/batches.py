"""Batches in the order that `sampling` lays down, read in this process or by helpers beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from backend.errors import EigenscopeError
from worker.training import sampling
from worker.training.data import Example, ExampleSet, as_float

MAX_READERS = 8


class Batch(NamedTuple):
    """Images, float32 (3, H_i, W_i) in 0 … 1, and their targets, on the device that trains."""

    images: list[Tensor]
    targets: list[dict[str, Tensor]]


class _Schedule(Dataset[list[Example] | EigenscopeError]):
    """The examples of each iteration, as DataLoader wants to see them; or why they cannot be read.

    An error is handed over as a value: raised in a reader, it would arrive as a page of its traceback.
    """

    def __init__(self, examples: ExampleSet, batch_size: int, seed: int, share: slice) -> None:
        self._examples, self._batch_size, self._seed, self._share = examples, batch_size, seed, share

    def __getitem__(self, iteration: int) -> list[Example] | EigenscopeError:
        draws = sampling.batch(len(self._examples), self._batch_size, self._seed, iteration)
        try:
            return [self._examples.read(draw.number, draw.flip) for draw in draws[self._share]]
        except EigenscopeError as error:
            return error


def training_batches(
    examples: ExampleSet,
    batch_size: int,
    seed: int,
    iterations: range,
    device: torch.device,
    share: slice = slice(None),
) -> Iterator[Batch]:
    """Yield the batch of each iteration, or a rank's `share` of it; the same iteration always has the same batch.

    Images that lie in memory are read here, others by processes of their own. Neither draws from a global
    random generator. Raises `InvalidInput` for an image that cannot be used.
    """
    loader: DataLoader[list[Example] | EigenscopeError] = DataLoader(
        _Schedule(examples, batch_size, seed, share),
        batch_size=None,
        sampler=iterations,
        num_workers=0 if examples.in_memory else _readers(),
        collate_fn=_unchanged,
        pin_memory=device.type == "cuda",
        generator=torch.Generator(),
    )
    for batch in loader:
        if isinstance(batch, EigenscopeError):
            raise batch
        yield to_device(batch, device)


def validation_batches(
    examples: ExampleSet, batch_size: int, device: torch.device
) -> Iterator[tuple[range, Batch]]:
    """Yield all examples in order, with their numbers."""
    for first in range(0, len(examples), batch_size):
        numbers = range(first, min(first + batch_size, len(examples)))
        yield numbers, to_device([examples.read(number) for number in numbers], device)


def to_device(examples: list[Example], device: torch.device) -> Batch:
    """Move examples, as bytes, and make their values floats there."""
    images = [as_float(e.image.to(device, non_blocking=True)) for e in examples]
    targets = [{k: v.to(device, non_blocking=True) for k, v in e.target.items()} for e in examples]
    return Batch(images, targets)


def _unchanged(batch: list[Example] | EigenscopeError) -> list[Example] | EigenscopeError:
    return batch


def _readers() -> int:
    return min(MAX_READERS, max(1, (os.cpu_count() or 1) - 1))
