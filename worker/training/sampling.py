"""The order of the data: a pure function of (seed, iteration), so that resuming is exact and runs can share it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.runs.specification import TrainingSpecification
from worker.training.examples import View

ORDER, FLIP, JITTER = 0, 1, 2
"""Streams of random numbers that one seed gives."""
WORD = 2**32


class Draw(NamedTuple):
    """One training example: its number in the dataset, from 0, and how it is shown."""

    number: int
    view: View


class Order:
    """Which examples, shown how, make the batch of each iteration.

    `upright` says of each example whether it is higher than wide. With `group_by_aspect`, a batch holds either
    upright examples or others; where all are of one kind, or a kind has fewer examples than a batch, there is one
    group of all.

    Each group is walked in epochs of its own: its positions run on from one of its batches to the next, over the
    borders of its epochs, and each epoch is a permutation, so that every example is seen once an epoch and nothing is
    dropped or repeated to fill a batch. Batches are dealt to the groups in proportion to their examples, as evenly as
    whole batches allow (Bresenham 1965): after t iterations of batches of B, a group of n out of N examples has had
    t n / N of them, to less than one batch, and so all groups are equally far in their epochs, to B / n of one.

    Nothing is remembered from one iteration to the next; a batch costs a permutation of each group now and then.
    """

    def __init__(self, upright: Sequence[bool], training: TrainingSpecification) -> None:
        self._size, self._seed, self._flip = training.batch_size, training.seed, training.flip
        self._sides = (training.image_size_min or training.image_size, training.image_size)
        self._jitter = training.image_size_min is not None
        self._groups = _groups(np.asarray(upright, bool), training)
        self._count = len(upright)

    def batch(self, iteration: int) -> tuple[Draw, ...]:
        """Return the draws of the update after `iteration` others."""
        group, turn = self._turn(iteration)
        numbers = self._groups[group]
        return tuple(
            Draw(
                self._number(numbers, group, turn * self._size + place),
                self._view(iteration * self._size + place),
            )
            for place in range(self._size)
        )

    def _turn(self, iteration: int) -> tuple[int, int]:
        """Return whose turn it is, and how many turns that group had before."""
        if len(self._groups) == 1:
            return 0, iteration
        second = len(self._groups[1])
        before, after = (second * t // self._count for t in (iteration, iteration + 1))
        return (1, before) if after > before else (0, iteration - before)

    def _number(self, numbers: NDArray[np.int64], group: int, position: int) -> int:
        epoch, place = divmod(position, len(numbers))
        return int(numbers[_permutation(len(numbers), self._seed, epoch, group)[place]])

    def _view(self, position: int) -> View:
        """Return how the example at a position of the whole training is shown: mirrored with probability one half."""
        flip = self._flip and bool(_words(self._seed, FLIP, position, 1)[0] & 1)
        if not self._jitter:
            return View(flip)
        low, high = self._sides
        side, across, down = _words(self._seed, JITTER, position, 3)
        return View(flip, low + side * (high - low + 1) // WORD, (across / WORD, down / WORD))


def _groups(upright: NDArray[np.bool_], training: TrainingSpecification) -> tuple[NDArray[np.int64], ...]:
    groups = (np.flatnonzero(~upright), np.flatnonzero(upright))
    if training.group_by_aspect and min(map(len, groups)) >= training.batch_size:
        return groups
    return (np.arange(len(upright)),)


def _words(seed: int, stream: int, position: int, count: int) -> list[int]:
    """Return random whole numbers below 2³²."""
    return [int(word) for word in np.random.SeedSequence((seed, stream, position)).generate_state(count)]


@lru_cache(maxsize=8)
def _permutation(count: int, seed: int, epoch: int, group: int) -> NDArray[np.int64]:
    key = (seed, ORDER, epoch) + ((group,) if group else ())
    return np.random.default_rng(key).permutation(count)
