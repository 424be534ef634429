"""Which axis of a tensor holds its channels: followed from operation to operation through a forward pass."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_aten: Any = torch.ops.aten

_RESHAPED = frozenset(
    {
        _aten.view,
        _aten._unsafe_view,
        _aten.reshape,
        _aten._reshape_alias,
        _aten.unsqueeze,
        _aten.squeeze,
    }
)


class ChannelAxes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Knows the axis of channels of every tensor made, while it is active, from one whose axis it was told.

    Permutations move the axis; another shape keeps it where the axis itself is neither split nor merged; reductions
    and selections close the gap they leave; whatever else gives a tensor of as many axes leaves it where it was, as
    a convolution, a sum, a concatenation or a pooling does. What a tensor's shape is, or whether two sides of it are
    alike, does not matter. Keeps every tensor made, so that none gets the id of another.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._axes: dict[int, int] = {}
        self._kept: list[Tensor] = []

    def tell(self, tensor: Tensor, axis: int) -> None:
        """Say that a tensor's channels are on this axis."""
        self._kept.append(tensor)
        self._axes[id(tensor)] = axis % tensor.ndim

    def axis(self, tensor: Tensor) -> int | None:
        """Return a tensor's axis of channels, None where it is not known."""
        return self._axes.get(id(tensor))

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run an operation and follow the axis through it."""
        result = func(*args, **(kwargs or {}))
        known = [(x, self._axes[id(x)]) for x in _tensors(args) if id(x) in self._axes]
        for made in _tensors((result,)):
            axis = _axis_after(func.overloadpacket, args, known, made)
            if axis is not None:
                self.tell(made, axis)
        return result


def _tensors(values: Sequence[Any]) -> Iterator[Tensor]:
    """Yield the tensors among an operation's arguments or results, and those in their lists."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)


def _axis_after(
    operation: Any, args: Sequence[Any], known: Sequence[tuple[Tensor, int]], made: Tensor
) -> int | None:
    """Return the axis of channels of what an operation made from tensors whose axes are known."""
    if not known:
        return None
    source, axis = known[0]
    if operation is _aten.permute:
        return [dim % source.ndim for dim in args[1]].index(axis)
    if operation in (_aten.transpose, _aten.t):
        one, other = (dim % source.ndim for dim in (args[1:3] or (0, 1)))
        return {one: other, other: one}.get(axis, axis)
    if operation in _RESHAPED:
        return _in_other_shape(source.shape, axis, made.shape)
    alike = [axis for x, axis in known if x.ndim == made.ndim]
    return alike[0] if alike else _without(args[1:2], source, axis, made)


def _in_other_shape(shape: Sequence[int], axis: int, other: Sequence[int]) -> int | None:
    """Return where an axis is in another shape of the same elements: as long, and after as many."""
    before = math.prod(shape[:axis])
    for position, size in enumerate(other):
        if size == shape[axis] and math.prod(other[:position]) == before:
            return position
    return None


def _without(dims: Sequence[Any], source: Tensor, axis: int, made: Tensor) -> int | None:
    """Return the axis once a reduction or selection has removed its `dims`, an int or several."""
    flat = [dim for one in dims for dim in (one if isinstance(one, (list, tuple)) else (one,))]
    if not all(isinstance(dim, int) for dim in flat):
        return None
    removed = {dim % source.ndim for dim in flat}
    if axis in removed or made.ndim != source.ndim - len(removed):
        return None
    return axis - sum(1 for dim in removed if dim < axis)
