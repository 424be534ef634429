"""How a recording lies in a file: an Arrow stream whose rows are spectra, scalars and how it ended.

The file only grows. Each write is one record batch, so that whatever ends the program leaves a file that can be read
up to its last whole batch. What the recording is, layers included, is JSON in the schema's metadata.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import ValidationError

from backend.errors import InvalidInput, Unavailable
from backend.measurements import recording
from backend.measurements.arrow_stream import UNREADABLE, open_stream
from backend.runs.recorded import FinishRequest, MetricPoint, RecordingRequest

SPECTRUM, METRIC, END = "spectrum", "metric", "end"
"""The values of the column `kind`: a row has the columns of its kind, and null in all others."""

SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        *recording.SCHEMA,
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("status", pa.string()),
        ("error", pa.string()),
    ]
)
METADATA = b"eigenscope.recording"
VERSION = 1
END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"


def head(request: RecordingRequest) -> bytes:
    """Return the file's first bytes."""
    content = {"version": VERSION, **request.model_dump(mode="json")}
    schema = SCHEMA.with_metadata({METADATA: json.dumps(content, allow_nan=False).encode()})
    result: bytes = schema.serialize().to_pybytes()
    return result


def spectra(records: Sequence[recording.Record]) -> bytes:
    """Return one measurement as a batch."""
    batch = recording.to_batch(records)
    return _batch(SPECTRUM, batch.num_rows, dict(zip(batch.schema.names, batch.columns, strict=True)))


def metrics(points: Sequence[MetricPoint]) -> bytes:
    """Return scalars as a batch; one that was not finite has a null `value`."""
    rows = [(point.iteration, name, value) for point in points for name, value in point.values.items()]
    columns = {name: [row[k] for row in rows] for k, name in enumerate(("iteration", "metric", "value"))}
    return _batch(METRIC, len(rows), columns)


def end(request: FinishRequest) -> bytes:
    """Return how the recording ended, as a batch."""
    return _batch(END, 1, {"status": [request.status], "error": [request.error]})


def _batch(kind: str, count: int, columns: dict[str, Any]) -> bytes:
    given = {"kind": [kind] * count, **columns}
    arrays = [
        pa.array(given[field.name], field.type) if field.name in given else pa.nulls(count, field.type)
        for field in SCHEMA
    ]
    result: bytes = pa.RecordBatch.from_arrays(arrays, schema=SCHEMA).serialize().to_pybytes()
    return result


@dataclass(frozen=True, slots=True)
class Whole:
    """What a file holds up to its last whole batch, which ends at byte `length`; `cut_off` when more follows."""

    request: RecordingRequest
    batches: tuple[pa.RecordBatch, ...]
    length: int
    cut_off: bool


def read_whole(path: Path) -> Whole:
    """Read a recording's file; raises `InvalidInput` where it is none, `Unavailable` where it cannot be read."""
    try:
        with pa.OSFile(str(path)) as source:
            schema, stream = open_stream(source, SCHEMA)
            return _read_batches(_request(schema, path), source, stream)
    except FileNotFoundError:
        raise InvalidInput(f"there is no file {path}") from None
    except pa.ArrowException as error:
        raise InvalidInput(f"{path} is no recording ({str(error).splitlines()[0][:200]})") from None
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror or error}") from None


def _read_batches(
    request: RecordingRequest, source: pa.NativeFile, stream: Iterator[pa.RecordBatch]
) -> Whole:
    batches, length, cut_off = [], source.tell(), False
    try:
        for batch in stream:
            batches.append(batch)
            length = source.tell()
    except UNREADABLE:
        cut_off = True
    return Whole(request, tuple(batches), length, cut_off)


def _request(schema: pa.Schema, path: Path) -> RecordingRequest:
    try:
        content = dict(json.loads((schema.metadata or {})[METADATA]))
        version = content.pop("version")
    except (KeyError, TypeError, ValueError):
        raise InvalidInput(
            f"{path} is an Arrow stream, but no recording: it does not say what was recorded"
        ) from None
    if version != VERSION:
        raise InvalidInput(f"{path} was written by a newer Eigenscope; read it with that one")
    try:
        return RecordingRequest.model_validate(content)
    except ValidationError:
        raise InvalidInput(f"{path} is damaged: what it says of itself is no recording's") from None
