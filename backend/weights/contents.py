"""What a file of weights holds, tensor by tensor, without the numbers themselves."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

BYTES = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "int8": 1,
    "uint8": 1,
    "bool": 1,
}
"""Size of one element by torch's name of its type."""
FLOATS = frozenset({"float64", "float32", "float16", "bfloat16"})


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor of a file.

    `storage` names the piece of the file that its numbers lie in; `offset` and `strides` count elements there.
    """

    shape: tuple[int, ...]
    dtype: str
    storage: str
    offset: int
    strides: tuple[int, ...]

    @property
    def elements(self) -> int:
        """How many elements of its storage the tensor reaches to, from the storage's beginning."""
        if 0 in self.shape:
            return self.offset
        return self.offset + 1 + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))


def contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides of a tensor whose last index moves fastest."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))
