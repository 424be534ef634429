"""The order of the data: a pure function of (seed, iteration), so that resuming is exact and runs can share it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ORDER, FLIP = 0, 1
"""Streams of random numbers that one seed gives."""


class Draw(NamedTuple):
    """One training example: its number in the dataset, from 0, and whether it is mirrored."""

    number: int
    flip: bool


def batch(count: int, batch_size: int, seed: int, iteration: int) -> tuple[Draw, ...]:
    """Return the draws of the update after `iteration` others, for a dataset of `count` examples.

    Positions run on from batch to batch; each epoch of `count` positions is a permutation of its own, so that
    every example is seen once an epoch. A position is mirrored with probability one half.
    """
    first = iteration * batch_size
    return tuple(_draw(count, seed, position) for position in range(first, first + batch_size))


def _draw(count: int, seed: int, position: int) -> Draw:
    epoch, place = divmod(position, count)
    flip = np.random.SeedSequence((seed, FLIP, position)).generate_state(1)[0] & 1
    return Draw(int(_permutation(count, seed, epoch)[place]), bool(flip))


@lru_cache(maxsize=4)
def _permutation(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, ORDER, epoch)).permutation(count)
