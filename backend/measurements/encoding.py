"""One layer's spectra as bytes, in the formats that people and programs read."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from backend.measurements.service import LayerSpectra


def to_json(spectra: LayerSpectra) -> bytes:
    """Encode as `{layer, iterations, eigenvalues}`; stored spectra are finite, so no NaN can appear."""
    content = {
        "layer": spectra.layer,
        "iterations": spectra.iterations.tolist(),
        "eigenvalues": spectra.eigenvalues.astype(np.float64).tolist(),
    }
    return json.dumps(content, allow_nan=False).encode()


def to_npz(spectra: LayerSpectra) -> bytes:
    """Encode as numpy's npz with `iterations` (T,) and `eigenvalues` (T, C)."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, iterations=spectra.iterations, eigenvalues=spectra.eigenvalues)
    return buffer.getvalue()


def to_arrow(spectra: LayerSpectra) -> bytes:
    """Encode as an Arrow stream with columns `iteration` and `eigenvalues` (fixed-size lists)."""
    values = pa.array(spectra.eigenvalues.ravel(), pa.float32())
    table = pa.table(
        {
            "iteration": pa.array(spectra.iterations, pa.int32()),
            "eigenvalues": pa.FixedSizeListArray.from_arrays(values, spectra.width),
        }
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    result: bytes = sink.getvalue().to_pybytes()
    return result


def to_binary(spectra: LayerSpectra) -> bytes:
    """Encode little-endian: uint32 T, uint32 C, int32[T] iterations, float32[T, C] eigenvalues."""
    head = np.array([len(spectra.iterations), spectra.width], "<u4")
    return head.tobytes() + spectra.iterations.astype("<i4").tobytes() + spectra.eigenvalues.tobytes()


ENCODERS: dict[str, Callable[[LayerSpectra], bytes]] = {
    "json": to_json,
    "npz": to_npz,
    "arrow": to_arrow,
    "binary": to_binary,
}
MEDIA_TYPES = {
    "json": "application/json",
    "npz": "application/x-npz",
    "arrow": "application/vnd.apache.arrow.stream",
    "binary": "application/octet-stream",
}
