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
        return self._there(inputs, outputs) * outputs * (self._weights * inputs + self._constants)

    def macs(self, widths: Integers) -> Integers:
        """Return the multiply-accumulate operations of each term for one image, (N, T), for widths (N, G)."""
        inputs, outputs = self._sides(widths)
        return self._there(inputs, outputs) * inputs * outputs * self._operations

    @cached_property
    def conditional(self) -> NDArray[np.bool_]:
        """Which terms are there only where widths differ, (T,)."""
        return np.array([term.where_widths_differ for term in self.terms], bool)

    def _there(self, inputs: Integers, outputs: Integers) -> NDArray[np.bool_]:
        there: NDArray[np.bool_] = ~(self.conditional & (inputs == outputs))
        return there

    def _sides(self, widths: Integers) -> tuple[Integers, Integers]:
        padded = np.concatenate([widths, np.ones((len(widths), 1), np.int64)], axis=1)
        return padded[:, self._inputs], padded[:, self._outputs]

    @cached_property
    def _inputs(self) -> list[int]:
        return self._places([term.inputs for term in self.terms])

    @cached_property
    def _outputs(self) -> list[int]:
        return self._places([term.outputs for term in self.terms])

    def _places(self, names: Sequence[str | None]) -> list[int]:
        """Return each group's column; a fixed number of channels has the last, which holds ones."""
        place = {group: index for index, group in enumerate(self.groups)}
        return [len(self.groups) if name is None else place[name] for name in names]

    @cached_property
    def _weights(self) -> Integers:
        return np.array([term.weights for term in self.terms], np.int64)

    @cached_property
    def _constants(self) -> Integers:
        return np.array([term.constants for term in self.terms], np.int64)

    @cached_property
    def _operations(self) -> Integers:
        return np.array([term.weights * term.positions for term in self.terms], np.int64)
