"""Spectra as Arrow: what is written comes back, and whatever else arrives is refused with a sentence."""

from __future__ import annotations

import random
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from backend.errors import InvalidInput
from backend.measurements import recording
from backend.measurements.recording import Record
from backend.measurements.records import LayerRow

LAYERS = {
    name: LayerRow(k, name, "act", "body", width) for k, (name, width) in enumerate([("a", 3), ("b", 2)])
}
GOOD = Record(5, "a", np.array([3, 2, 1e-4], np.float32), 2, 5.0, 3.0, 4, 400)


def test_records_come_back_bit_for_bit() -> None:
    records = [GOOD, replace(GOOD, iteration=6), replace(GOOD, layer="b", eigenvalues=GOOD.eigenvalues[1:])]
    for sent, found in zip(records, recording.decode(recording.encode(records)), strict=True):
        np.testing.assert_array_equal(found.eigenvalues, sent.eigenvalues)
        assert replace(found, eigenvalues=sent.eigenvalues) == sent


def test_columns_may_come_in_any_order_and_in_several_batches() -> None:
    table = pa.Table.from_batches(
        [recording.to_batch([GOOD]), recording.to_batch([replace(GOOD, iteration=6)])]
    )
    sink = pa.BufferOutputStream()
    turned = table.select(table.schema.names[::-1])
    with pa.ipc.new_stream(sink, turned.schema) as stream:
        stream.write_table(turned, max_chunksize=1)
    assert [record.iteration for record in recording.decode(sink.getvalue().to_pybytes())] == [5, 6]


def test_dimensionality_is_counted_before_precision_is_lost() -> None:
    # In float32 both neighbours of 1e-3 become the number just above it.
    values = np.array([1.0, np.nextafter(1e-3, 1), np.nextafter(1e-3, 0)])
    measured = SimpleNamespace(
        layer=SimpleNamespace(name="a"), eigenvalues=values, trace=1.0, lambda_1=1.0, images=1, positions=9
    )
    (record,) = recording.measured(0, [measured])
    assert record.dimensionality == 2
    assert record.eigenvalues.dtype == np.float32
    assert int((record.eigenvalues.astype(np.float64) > 1e-3).sum()) == 3


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"layer": "c"}, "there is no layer 'c' among the 2 that the run began with"),
        ({"layer": "b"}, "layer 'b' at iteration 5 has 3 eigenvalues, but its width is 2"),
        ({"eigenvalues": np.array([3, np.nan, 1], np.float32)}, "holds NaN, infinity"),
        ({"eigenvalues": np.array([np.inf, 2, 1], np.float32)}, "holds NaN, infinity"),
        ({"trace": float("nan")}, "holds NaN, infinity"),
        ({"lambda_1": float("inf")}, "holds NaN, infinity"),
        ({"eigenvalues": np.array([3, 1, 2], np.float32)}, "has eigenvalues that rise; sort them"),
        ({"dimensionality": -1}, "has a dimensionality of -1"),
        ({"dimensionality": 4}, "has a dimensionality of 4, which is not between 0 and its width 3"),
        ({"images": -1}, "counts -1 images"),
        ({"images": 2**31}, "counts 2147483648 images"),
        ({"positions": -7}, "counts -7 positions"),
        ({"iteration": -1}, "has no valid iteration"),
        ({"iteration": 2**31}, "has no valid iteration"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        recording.rows([replace(GOOD, **change)], LAYERS)  # type: ignore[arg-type]


def test_a_spectrum_that_stands_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="layer 'a' at iteration 5 stands twice"):
        recording.rows([GOOD, GOOD], LAYERS)


def written(batch: pa.RecordBatch, **options: object) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(**options)) as stream:
        stream.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())


def changed(column: str, array: pa.Array) -> bytes:
    batch = recording.to_batch([GOOD])
    return written(batch.set_column(batch.schema.get_field_index(column), column, array))


def foreign_streams() -> dict[str, tuple[bytes, str]]:
    whole = recording.encode([GOOD])
    batch = recording.to_batch([GOOD])
    floats = pa.list_(pa.float32())
    return {
        "empty": (b"", "is no Arrow stream that can be read .it is empty"),
        "text": (b"hello, this is text", "is no Arrow stream that can be read"),
        "json": (b'{"iteration": 5, "layer": "a"}' * 20, "is no Arrow stream that can be read"),
        "cut": (whole[:-40], "is no Arrow stream that can be read"),
        "no schema": (bytes(batch.serialize()), "it does not begin with a schema"),
        "lacks one": (
            written(batch.drop_columns(["trace"])),
            "columns are iteration, .*; they must be iteration, ",
        ),
        "one more": (written(batch.append_column("x", pa.array([1]))), "columns are .*x; they must be"),
        "twice": (
            written(batch.append_column("trace", pa.array([1.0]))),
            "columns are .*trace; they must be",
        ),
        "type": (
            changed("iteration", pa.array([5], pa.int32())),
            "column 'iteration' is int32; it must be int64",
        ),
        "null": (changed("layer", pa.array([None], pa.string())), "column 'layer' holds a null"),
        "null inside": (changed("eigenvalues", pa.array([[1, None]], floats)), "'eigenvalues' holds a null"),
        "compressed": (written(batch, compression="zstd"), "is compressed; write it without compression"),
        "lz4": (written(batch, compression="lz4"), "is compressed; write it without compression"),
        "dictionary": (changed("layer", pa.array(["a"]).dictionary_encode()), "'layer' is dictionary"),
    }


@pytest.mark.parametrize("name", foreign_streams())
def test_another_stream_is_refused(name: str) -> None:
    body, sentence = foreign_streams()[name]
    with pytest.raises(InvalidInput, match=sentence):
        recording.decode(body)


def test_too_many_spectra_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_RECORDS", 2)
    records = [replace(GOOD, iteration=k) for k in range(3)]
    assert len(recording.decode(recording.encode(records[:2]))) == 2
    with pytest.raises(InvalidInput, match="a body may hold 2 spectra; send fewer"):
        recording.decode(recording.encode(records))


def test_no_damaged_stream_does_worse_than_be_refused() -> None:
    """An attacker's bytes reach this code: no exception but the sentence, and no crash of the process."""
    whole = recording.encode([GOOD, replace(GOOD, iteration=6)])
    randomly = random.Random(0)
    refused = 0
    for _ in range(3000):
        damaged = bytearray(whole)
        for _ in range(randomly.randint(1, 4)):
            damaged[randomly.randrange(len(damaged))] = randomly.choice((0, 1, 127, 128, 255))
        try:
            recording.decode(bytes(damaged))
        except InvalidInput:
            refused += 1
    assert 1000 < refused < 3000
