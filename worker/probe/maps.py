"""What a probe looks at, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from backend.runs.specification import MapKind

Kind = MapKind | Literal["linear"]
"""A run's kinds of map, and the fully connected layers of a model that is neither detector nor residual network."""

KINDS: tuple[Kind, ...] = (*get_args(MapKind), "linear")
"""Every kind of map, in network order."""


@dataclass(frozen=True)
class ProbedLayer:
    """One map of a model; `order` counts from 0 along one forward pass, among the maps of its probe."""

    name: str
    map: Kind
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
    map: Kind
    stage: str


@dataclass(frozen=True, eq=False)
class Tap:
    """Where maps come from: the k-th call of `module` in a forward pass gives `maps[k]`; None and later calls, none.

    `read` takes the map out of the call's arguments and of what it returned. `channels` is the map's axis of
    channels; axis 0 is the batch's, and all others are positions.
    """

    module: nn.Module
    maps: tuple[MapName | None, ...]
    read: Callable[[tuple[Any, ...], Any], Tensor]
    channels: int = 1

    def names(self) -> list[MapName]:
        """Return the maps that the tap gives."""
        return [name for name in self.maps if name is not None]


def whole(_arguments: tuple[Any, ...], output: Any) -> Tensor:
    """Read a map that is the module's output as it is."""
    return cast(Tensor, output)


def rectified(_arguments: tuple[Any, ...], output: Any) -> Tensor:
    """Read the map that a ReLU makes of the module's output where it is a function and no module."""
    return functional.relu(output)


Called = Callable[[Tap, MapName, tuple[Any, ...], Any], None]
"""Takes a tap, the map of this call, the call's positional arguments and its output."""


@contextmanager
def calls(taps: Iterable[Tap], called: Called) -> Iterator[None]:
    """Tell `called` of every call that gives a map, right after it, in the order of execution.

    The tensors are the network's own: an in-place ReLU or sum that follows overwrites them. The hooks are removed
    on leaving, also by an exception.
    """
    with ExitStack() as hooks:
        for tap in taps:
            hooks.enter_context(tap.module.register_forward_hook(_Counter(tap, called)))
        yield


@contextmanager
def listening(taps: Iterable[Tap], receive: Callable[[MapName, Tensor], None]) -> Iterator[None]:
    """Give every map of one forward pass to `receive`, channels on axis 1, in the order of execution.

    The tensor lives only until `receive` returns.
    """

    def called(tap: Tap, name: MapName, arguments: tuple[Any, ...], output: Any) -> None:
        receive(name, tap.read(arguments, output).movedim(tap.channels, 1))

    with calls(taps, called):
        yield


class _Counter:
    """Counts a module's calls within one forward pass, for each call is another map."""

    def __init__(self, tap: Tap, called: Called) -> None:
        self._tap = tap
        self._called = called
        self._calls = 0

    def __call__(self, _module: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
        number, self._calls = self._calls, self._calls + 1
        name = self._tap.maps[number] if number < len(self._tap.maps) else None
        if name is not None:
            self._called(self._tap, name, arguments, output)
