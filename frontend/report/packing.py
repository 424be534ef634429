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


class Store:
    """All arrays of a report one after the other, in an order that compresses well.

    Neighbours in a spectrum have nearly equal exponents and first bits, so an array's first bytes stand together,
    then its second ones, and so on.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, values: NDArray[Any]) -> dict[str, Any]:
        """Take an array and return where it lies; float64 becomes float32 where that loses nothing."""
        kept = values
        if values.dtype == np.float64:
            small = values.astype(np.float32)
            kept = small if np.array_equal(small, values, equal_nan=True) else values
        kind = kept.dtype.newbyteorder("<")
        raw = np.ascontiguousarray(kept, kind).view(np.uint8).reshape(-1, kind.itemsize)
        place = self._size
        self._parts.append(raw.T.tobytes())
        self._size += raw.size
        return {"dtype": f"{kind.kind}{kind.itemsize}", "shape": list(kept.shape), "at": place}

    def compressed(self) -> str:
        """Return all of it as text that a browser can unpack: gzip within base64."""
        return _compressed(b"".join(self._parts))


def shortened(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return numbers rounded to 17 binary digits, 7.7e-6 of themselves at most: more than a figure or a hover shows."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded: NDArray[np.float32] = ((bits + 0x40) & 0xFFFFFF80).astype(np.uint32).view(np.float32)
    return rounded


def as_text(content: bytes) -> str:
    """Return bytes as text that may stand in a page."""
    return base64.b64encode(content).decode()


def compressed_json(value: Any) -> str:
    """Return a JSON value, packed likewise."""
    return _compressed(json.dumps(value, allow_nan=False, separators=(",", ":")).encode())


def _compressed(content: bytes) -> str:
    return as_text(gzip.compress(content, compresslevel=9, mtime=0))
