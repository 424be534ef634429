"""A network as a sum over its layers: parameters and MACs as a function of its width groups, evaluated all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Term:
    """One convolution or fully connected layer, with the norm or bias that follows it.

    `inputs` and `outputs` are width groups; None is a fixed number of channels, which `weights` then counts. `weights`
    are the weights for each pair of an input and an output channel, `positions` how often each of them is used for one
    image, and `constants` the parameters for each output channel beside the weights. With `where_widths_differ` the
    layer is there only where its two groups differ in width: the convolution on a shortcut that changes no resolution.
    """

    stage: str
    inputs: str | None
    outputs: str | None
    weights: int
    positions: int
    constants: int
    where_widths_differ: bool = False


@dataclass(frozen=True, eq=False)
class Sizes:
    """The terms of a network, for widths of `groups` in this order."""

    groups: tuple[str, ...]
    terms: tuple[Term, ...]

    def parameters(self, widths: Integers) -> Integers:
        """Return the parameters of each term, (N, T), for widths (N, G)."""
        inputs, outputs = self._sides(widths)
        there = self._there(inputs, outputs)
        return there * outputs * (self._numbers("weights") * inputs + self._numbers("constants"))

    def macs(self, widths: Integers) -> Integers:
        """Return the multiply-accumulate operations of each term for one image, (N, T), for widths (N, G)."""
        inputs, outputs = self._sides(widths)
        return (
            self._there(inputs, outputs)
            * inputs
            * outputs
            * self._numbers("weights")
            * self._numbers("positions")
        )

    @cached_property
    def conditional(self) -> NDArray[np.bool_]:
        """Which terms are there only where widths differ, (T,)."""
        return np.array([term.where_widths_differ for term in self.terms], bool)

    def _sides(self, widths: Integers) -> tuple[Integers, Integers]:
        padded = np.concatenate([widths, np.ones((len(widths), 1), np.int64)], axis=1)
        return padded[:, self._index("inputs")], padded[:, self._index("outputs")]

    def _there(self, inputs: Integers, outputs: Integers) -> NDArray[np.bool_]:
        there: NDArray[np.bool_] = ~(self.conditional & (inputs == outputs))
        return there

    def _index(self, side: str) -> list[int]:
        place = {group: index for index, group in enumerate(self.groups)}
        names: Sequence[str | None] = [getattr(term, side) for term in self.terms]
        return [len(self.groups) if name is None else place[name] for name in names]

    def _numbers(self, field: str) -> Integers:
        return np.array([getattr(term, field) for term in self.terms], np.int64)
