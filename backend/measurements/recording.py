"""Spectra on their way to a recorded run: one record a layer and iteration, as Arrow wherever it goes as bytes.

Server, client and local file share these columns and these checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from backend.errors import InvalidInput
from backend.measurements.arrow_stream import UNREADABLE, open_stream
from backend.measurements.records import LayerRow, SpectrumRow
from backend.measurements.service import PAPER_CRITERION, PAPER_THRESHOLD
from backend.spectra.criteria import dimensionality

MEDIA_TYPE = "application/vnd.apache.arrow.stream"
SCHEMA = pa.schema(
    [
        ("iteration", pa.int64()),
        ("layer", pa.string()),
        ("eigenvalues", pa.list_(pa.float32())),
        ("dimensionality", pa.int64()),
        ("trace", pa.float64()),
        ("lambda_1", pa.float64()),
        ("images", pa.int64()),
        ("positions", pa.int64()),
    ]
)
MOST_RECORDS = 100_000
"""In one request."""
LAST_ITERATION = 2**31 - 1


class MeasuredLayer(Protocol):
    """The map that a spectrum belongs to."""

    @property
    def name(self) -> str: ...  # noqa: D102


class Measured(Protocol):
    """A spectrum as the probe returns it (`worker.probe.maps.LayerSpectrum`), which this part cannot import."""

    @property
    def layer(self) -> MeasuredLayer: ...  # noqa: D102
    @property
    def eigenvalues(self) -> NDArray[np.floating[Any]]: ...  # noqa: D102
    @property
    def trace(self) -> float: ...  # noqa: D102
    @property
    def lambda_1(self) -> float: ...  # noqa: D102
    @property
    def images(self) -> int: ...  # noqa: D102
    @property
    def positions(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Record:
    """One spectrum of one layer: `eigenvalues` float32 (width,), descending; the rest counted in float64."""

    iteration: int
    layer: str
    eigenvalues: NDArray[np.float32]
    dimensionality: int
    trace: float
    lambda_1: float
    images: int
    positions: int


def measured(iteration: int, spectra: Sequence[Measured]) -> list[Record]:
    """Return a measurement as records; dimensionalities are counted before the eigenvalues lose precision."""
    return [
        Record(
            iteration=iteration,
            layer=spectrum.layer.name,
            eigenvalues=_single(spectrum.eigenvalues),
            dimensionality=_count(spectrum.eigenvalues),
            trace=float(spectrum.trace),
            lambda_1=float(spectrum.lambda_1),
            images=int(spectrum.images),
            positions=int(spectrum.positions),
        )
        for spectrum in spectra
    ]


def _count(eigenvalues: NDArray[np.floating[Any]]) -> int:
    # A spectrum with NaN has no count; `rows` refuses it with a sentence.
    return int(np.nan_to_num(dimensionality(eigenvalues, PAPER_CRITERION, PAPER_THRESHOLD)))


def _single(eigenvalues: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    # One that is too large for float32 becomes infinite, and `rows` refuses it with a sentence.
    with np.errstate(over="ignore"):
        return np.asarray(eigenvalues, np.float32)


def rows(records: Sequence[Record], layers: Mapping[str, LayerRow]) -> dict[int, list[SpectrumRow]]:
    """Return the records by iteration, as they are stored; raises `InvalidInput` naming the first that is wrong."""
    found: dict[int, list[SpectrumRow]] = {}
    seen: set[tuple[int, str]] = set()
    for record in records:
        key = (record.iteration, record.layer)
        if key in seen:
            raise InvalidInput(f"{_named(record)} stands twice in one body; send each spectrum once")
        seen.add(key)
        layer = layers.get(record.layer)
        if layer is None:
            raise InvalidInput(
                f"there is no layer '{record.layer}' among the {len(layers)} that the run began with; "
                "record the layers of the probe that measures"
            )
        for problem in _problems(record, layer.width):
            raise InvalidInput(f"{_named(record)} {problem}")
        found.setdefault(record.iteration, []).append(_row(record, layer.order))
    return found


def _named(record: Record) -> str:
    return f"layer '{record.layer}' at iteration {record.iteration}"


def _problems(record: Record, width: int) -> Iterator[str]:
    values = record.eigenvalues
    if not 0 <= record.iteration <= LAST_ITERATION:
        yield f"has no valid iteration; it is a whole number from 0 to {LAST_ITERATION}"
    if values.shape != (width,):
        yield f"has {values.size} eigenvalues, but its width is {width}; give all of them"
    if not (np.isfinite(values).all() and np.isfinite([record.trace, record.lambda_1]).all()):
        yield "holds NaN, infinity or a number beyond float32; look for divergence in the training"
    if (values[1:] > values[:-1]).any():
        yield "has eigenvalues that rise; sort them in descending order"
    if not 0 <= record.dimensionality <= width:
        yield f"has a dimensionality of {record.dimensionality}, which is not between 0 and its width {width}"
    for name, count, most in (("images", record.images, 2**31), ("positions", record.positions, 2**63)):
        if not 0 <= count < most:
            yield f"counts {count} {name}; count from 0 to {most - 1}"


def _row(record: Record, order: int) -> SpectrumRow:
    return SpectrumRow(
        layer=order,
        eigenvalues=record.eigenvalues,
        dimensionality=record.dimensionality,
        trace=record.trace,
        lambda_1=record.lambda_1,
        images=record.images,
        positions=record.positions,
    )


def to_batch(records: Sequence[Record]) -> pa.RecordBatch:
    """Return records in the columns of `SCHEMA`."""
    columns = [[getattr(record, field.name) for record in records] for field in SCHEMA]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def from_batch(batch: pa.RecordBatch) -> list[Record]:
    """Return a validated batch with the columns of `SCHEMA` as records; raises `InvalidInput` for a null."""
    columns = {name: batch.column(name) for name in SCHEMA.names}
    nulls = [name for name, column in columns.items() if column.null_count]
    if nulls or columns["eigenvalues"].values.null_count:
        raise InvalidInput(f"the column '{[*nulls, 'eigenvalues'][0]}' holds a null; every number is needed")
    eigenvalues = columns.pop("eigenvalues")
    values, offsets = eigenvalues.values.to_numpy(), eigenvalues.offsets.to_numpy()
    plain = {name: column.to_pylist() for name, column in columns.items()}
    return [
        Record(eigenvalues=values[offsets[k] : offsets[k + 1]], **{name: plain[name][k] for name in plain})
        for k in range(batch.num_rows)
    ]


def encode(records: Sequence[Record]) -> bytes:
    """Return records as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA) as stream:
        stream.write_batch(to_batch(records))
    result: bytes = sink.getvalue().to_pybytes()
    return result


def decode(body: bytes) -> list[Record]:
    """Return the records of an Arrow stream from anywhere; raises `InvalidInput` for any other bytes."""
    found: list[Record] = []
    try:
        _, batches = open_stream(pa.BufferReader(body), SCHEMA)
        for batch in batches:
            found += from_batch(batch)
            if len(found) > MOST_RECORDS:
                raise InvalidInput(f"a body may hold {MOST_RECORDS} spectra; send fewer iterations at once")
    except UNREADABLE as error:
        reason = str(error).splitlines()[0][:200]
        raise InvalidInput(
            f"the body is no Arrow stream that can be read ({reason}); write one as docs/own-models.md shows"
        ) from None
    return found
