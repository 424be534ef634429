"""Figures as the server sends them, in a notebook's hands."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenscope.client.optional import needed


def as_figure(content: Any) -> Any:
    """Return a plotly Figure whose numbers are numpy arrays."""
    return needed("plotly.graph_objects", "a figure").Figure(_with_arrays(content))


def _with_arrays(part: Any) -> Any:
    """Return the part with every array, which plotly writes as base64, as an array again."""
    if isinstance(part, list):
        return [_with_arrays(one) for one in part]
    if not isinstance(part, dict):
        return part
    if part.keys() >= {"dtype", "bdata"}:
        return _array(part)
    return {name: _with_arrays(one) for name, one in part.items()}


def _array(part: dict[str, Any]) -> NDArray[Any]:
    values = np.frombuffer(base64.b64decode(part["bdata"]), np.dtype(part["dtype"]).newbyteorder("<"))
    shape = [int(side) for side in str(part.get("shape", "")).split(",") if side.strip()]
    return values.reshape(shape) if shape else values
