"""The header of a safetensors file: eight bytes of length, then JSON; the numbers follow (huggingface/safetensors)."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any

from backend.errors import InvalidInput
from backend.weights.contents import BYTES, TensorEntry, contiguous

HEADER_BYTES = 32 * 2**20
RANK = 8
TYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}
"""The format's names of types, and torch's."""


def read(path: Path, name: str) -> dict[str, TensorEntry]:
    """Return the file's tensors; `name` is what messages call it. Raises `InvalidInput` where the header is unsound."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(HEADER_BYTES, size - 8):
                raise ValueError("its first eight bytes give no length of a header")
            header = json.loads(file.read(length).decode("utf-8"))
        return _entries(header, size - 8 - length)
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise InvalidInput(
            f"{name} holds no weights that can be read safely ({reason}); "
            "save the model's state_dict() anew with safetensors.torch.save_file"
        ) from None


def _entries(header: Any, size: int) -> dict[str, TensorEntry]:
    if not isinstance(header, dict):
        raise ValueError("its header is no JSON object")
    described = {key: value for key, value in header.items() if key != "__metadata__"}
    ranges, entries = [], {}
    for key, value in described.items():
        entries[key], (begin, end) = _entry(key, value)
        ranges.append((begin, end))
    # The format wants every byte to belong to one tensor: no gaps, no overlaps.
    reached = 0
    for begin, end in sorted(ranges):
        if begin != reached:
            raise ValueError("its tensors do not lie one after another")
        reached = end
    if reached != size:
        raise ValueError(f"its tensors take {reached:,} bytes, but {size:,} follow the header")
    return entries


def _entry(key: str, value: Any) -> tuple[TensorEntry, tuple[int, int]]:
    if not isinstance(value, dict) or not {"dtype", "shape", "data_offsets"} <= value.keys():
        raise ValueError(f"{key[:80]!r} is not described by dtype, shape and data_offsets")
    dtype, shape, (begin, end) = value["dtype"], _counts(value["shape"]), _pair(value["data_offsets"])
    if not isinstance(dtype, str) or dtype not in TYPES:
        raise ValueError(f"{key[:80]!r} is of type {str(dtype)[:20]}; save it as float16 or float32")
    if end - begin != prod(shape) * BYTES[TYPES[dtype]]:
        raise ValueError(f"the numbers of {key[:80]!r} are not all there")
    return TensorEntry(shape, TYPES[dtype], key, 0, contiguous(shape)), (begin, end)


def _counts(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) > RANK:
        raise ValueError("a shape is no short list")
    if not all(type(count) is int and 0 <= count < 2**63 for count in value):
        raise ValueError("a shape or offset is no count")
    return tuple(value)


def _pair(value: Any) -> tuple[int, int]:
    counts = _counts(value)
    if len(counts) != 2 or counts[0] > counts[1]:
        raise ValueError("data_offsets are no beginning and end")
    return counts[0], counts[1]
