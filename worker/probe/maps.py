"""What a probe looks at, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from backend.runs.specification import MapKind

KINDS: tuple[MapKind, ...] = get_args(MapKind)
"""Every kind of map, in network order."""


@dataclass(frozen=True)
class ProbedLayer:
    """One map of a model; `order` counts from 0 along one forward pass, among the maps of its probe."""

    name: str
    map: MapKind
    stage: str
    width: int
    order: int


@dataclass(frozen=True, eq=False)
class LayerSpectrum:
    """The eigenspectrum of one map over the probe set.

    `eigenvalues` has shape (width,), float64, descending. They are as computed: of a covariance that lacks full
    rank some come out a rounding error below zero, and are kept so that they sum to the `trace`.
    `images` counts the images that have positions in this map, `positions` those of all of them together.
    """

    layer: ProbedLayer
    eigenvalues: NDArray[np.float64]
    trace: float
    lambda_1: float
    images: int
    positions: int


@dataclass(frozen=True)
class MapName:
    """A map's stable name, its kind and the stage of the network that it lies in."""

    name: str
    map: MapKind
    stage: str


@dataclass(frozen=True, eq=False)
class Tap:
    """Where maps come from: the k-th call of `module` in a forward pass gives `maps[k]`, later calls none.

    `read` takes the map out of what the module returned.
    """

    module: nn.Module
    maps: tuple[MapName, ...]
    read: Callable[[Any], Tensor]


def whole(output: Tensor) -> Tensor:
    """Read a map that is the module's output as it is."""
    return output


@contextmanager
def listening(taps: Sequence[Tap], receive: Callable[[MapName, Tensor], None]) -> Iterator[None]:
    """Give every map of one forward pass to `receive`, in the order of execution.

    The tensor is the network's own and lives only until `receive` returns: an in-place ReLU or sum that follows
    overwrites it. The hooks are removed on leaving, also by an exception.
    """
    with ExitStack() as hooks:
        for tap in taps:
            hooks.enter_context(tap.module.register_forward_hook(_Listener(tap, receive)))
        yield


class _Listener:
    """Counts a module's calls within one forward pass, for each call is another map."""

    def __init__(self, tap: Tap, receive: Callable[[MapName, Tensor], None]) -> None:
        self._tap = tap
        self._receive = receive
        self._calls = 0

    def __call__(self, _module: nn.Module, _arguments: Any, output: Any) -> None:
        if self._calls < len(self._tap.maps):
            self._receive(self._tap.maps[self._calls], self._tap.read(output))
        self._calls += 1
