"""Which map is made from which: one forward pass without values, followed from tensor to tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import ref

from torch import Tensor

from backend.errors import EigenscopeError
from worker.probe.affine import Pointwise, pointwise
from worker.probe.maps import MapName, Tap, calls
from worker.probe.networks import Shape


@dataclass(frozen=True, eq=False)
class Node:
    """A tensor of the forward pass whose covariance can be added up.

    With a `source` it can as well be derived from the source's, by the affine `step` on each position. A node that
    is no map but the input of one (`is_input`) is there to be a source.
    """

    name: MapName
    tap: Tap
    shape: Shape
    source: Node | None = None
    step: Pointwise | None = None
    is_input: bool = False

    @property
    def mixes(self) -> bool:
        """Whether the step from the source mixes channels."""
        return self.step is not None and self.step.mixes

    @property
    def width(self) -> int:
        """Number of channels."""
        return self.shape[0]


Nodes = dict[MapName, Node]
"""In order of execution; an input stands before what is made from it."""

_Key = tuple[int, int]


def trace(taps: Sequence[Tap], run: Callable[[], None]) -> Nodes:
    """Return what the taps give in one forward pass, `run`, which may be one without values.

    Two tensors are the same if they are the same object in the same version: an in-place operation makes a new
    version, so that a norm's map and the ReLU's written over it are told apart.
    """
    tracer = _Tracer(taps)
    with calls(taps, tracer.called):
        run()
    return tracer.nodes


class _Tracer:
    def __init__(self, taps: Sequence[Tap]) -> None:
        self.nodes: Nodes = {}
        # Asked before any hook of ours is set, for a module with hooks counts as unknown.
        self._steps = {tap: pointwise(tap.module) for tap in taps}
        self._known: dict[_Key, Node] = {}
        self._inputs: dict[tuple[_Key, int, int], Node] = {}
        # While a tensor is kept, no other gets its id.
        self._kept: list[Tensor] = []

    def called(self, tap: Tap, name: MapName, arguments: tuple[Any, ...], output: Any) -> None:
        value = tap.read(arguments, output)
        shape = tuple(value.movedim(tap.channels, 1).shape[1:])
        step = self._steps[tap]
        taken = step is not None and value is output and len(arguments) == 1
        source = self._source(step, name, arguments[0], value, tap) if step is not None and taken else None
        node = Node(name, tap, shape, source, step if source else None)
        self.nodes[name] = node
        self._known[self._key(value)] = node

    def _source(self, step: Pointwise, name: MapName, x: Tensor, value: Tensor, tap: Tap) -> Node | None:
        """Return the node that the map is made from: a map if it is one, else the input itself."""
        axis = step.axis
        if axis % x.ndim != tap.channels % value.ndim or x.ndim != value.ndim:
            return None
        known = self._known.get(self._key(x))
        if known is not None and step.stride == 1 and known.tap.channels % x.ndim == axis % x.ndim:
            return known
        return self._input(step.stride, name, x, axis, tap)

    def _input(self, stride: int, name: MapName, x: Tensor, axis: int, tap: Tap) -> Node:
        key = (self._key(x), stride, axis)
        if key not in self._inputs:
            own = MapName(f"input of {name.name}", name.map, name.stage)
            maps = tuple(own if one is name else None for one in tap.maps)
            reading = Tap(tap.module, maps, _InputReader(stride), axis)
            value = reading.read((x,), None)
            node = Node(own, reading, tuple(value.movedim(axis, 1).shape[1:]), is_input=True)
            self._inputs[key] = self.nodes[own] = node
        return self._inputs[key]

    def _key(self, tensor: Tensor) -> _Key:
        self._kept.append(tensor)
        return id(tensor), tensor._version


@dataclass(frozen=True)
class _InputReader:
    """Reads the positions of a module's input that its output is made from."""

    stride: int

    def __call__(self, arguments: tuple[Any, ...], _output: Any) -> Tensor:
        x: Tensor = arguments[0]
        if self.stride == 1:
            return x
        every = slice(None, None, self.stride)
        return x[(slice(None), slice(None), *(every for _ in x.shape[2:]))]


class ModelChanged(EigenscopeError):
    """The model computed a map from another tensor than in the pass that its plan was made from."""

    type = "model_changed"


@contextmanager
def witnessed(derived: Sequence[Node]) -> Iterator[None]:
    """Raise `ModelChanged` if a node is not made from its source's tensor in the forward pass within."""
    witness = _Witness(derived)
    with calls(witness.taps, witness.called):
        yield


def _nothing() -> None:
    return None


class _Witness:
    def __init__(self, derived: Sequence[Node]) -> None:
        self._sources = {
            node.name: node.source.name for node in derived if node.source and not node.source.is_input
        }
        wanted = {*self._sources, *self._sources.values()}
        by_name = {node.name: node.tap for node in derived}
        by_name |= {node.source.name: node.source.tap for node in derived if node.source}
        self.taps = list(dict.fromkeys(tap for name, tap in by_name.items() if name in wanted))
        self._needed = set(self._sources.values())
        # Weak, for the id of a tensor that is gone may be another's.
        self._seen: dict[MapName, tuple[Callable[[], Tensor | None], int]] = {}

    def called(self, tap: Tap, name: MapName, arguments: tuple[Any, ...], output: Any) -> None:
        source = self._sources.get(name)
        if source is not None:
            made, version = self._seen.get(source, (_nothing, 0))
            x: Tensor = arguments[0]
            if made() is not x or x._version != version:
                raise ModelChanged(
                    f"the model no longer makes '{name.name}' from '{source.name}' as when the probe was built; build "
                    "the probe anew, or with shortcuts=False if the model's flow changes from pass to pass"
                )
        if name in self._needed:
            value = tap.read(arguments, output)
            self._seen[name] = ref(value), value._version
