"""Figures as text that takes little room: the second theme as what differs, arrays as bytes, all of it compressed."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

Path = list[str | int]


def differences(first: Any, second: Any) -> list[tuple[Path, Any]]:
    """Return (path, value in `second`) of every place where two figures of one shape differ.

    Where they have no common shape, the whole part is told anew; None stands for what `second` lacks.
    """
    if type(first) is type(second) and isinstance(first, dict):
        keys = [*first, *(key for key in second if key not in first)]
        return [
            ([key, *path], value)
            for key in keys
            for path, value in differences(first.get(key), second.get(key))
        ]
    if type(first) is type(second) and isinstance(first, list) and len(first) == len(second):
        return [
            ([place, *path], value)
            for place, (one, other) in enumerate(zip(first, second, strict=True))
            for path, value in differences(one, other)
        ]
    return [] if first == second else [([], second)]


def typed(values: NDArray[Any]) -> dict[str, Any]:
    """Return an array as plotly writes them: little-endian bytes as base64, with type and shape.

    Whole numbers among float64 travel as float32 where that loses nothing.
    """
    kept = values
    if values.dtype == np.float64:
        small = values.astype(np.float32)
        kept = small if np.array_equal(small, values, equal_nan=True) else values
    kind = kept.dtype.newbyteorder("<")
    data = base64.b64encode(np.ascontiguousarray(kept, kind).tobytes()).decode()
    return {"dtype": f"{kind.kind}{kind.itemsize}", "bdata": data, "shape": list(kept.shape)}


def as_text(content: bytes) -> str:
    """Return bytes as text that may stand in a page."""
    return base64.b64encode(content).decode()


def compressed_json(value: Any) -> str:
    """Return a JSON value as text that a browser can unpack: gzip within base64."""
    content = json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
    return as_text(gzip.compress(content, compresslevel=9, mtime=0))
