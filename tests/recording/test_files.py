"""A recording's file only grows, and whatever cuts it off leaves what was written before."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from backend.errors import Conflict, InvalidInput, Unavailable
from eigenscope import FileRecorder, read_recording
from eigenscope.recording import file as file_module
from eigenscope.recording import layout

Record = Callable[..., None]


@pytest.fixture
def record(file: Path, about: dict[str, Any], layers: Sequence[Any], measure: Any) -> Record:
    """Return `record(*iterations)`, which makes a recording of those, or with `append` goes on with it."""

    def record(*iterations: int, append: bool = False, **changes: Any) -> None:
        with FileRecorder(file, append=append, **{**about, **changes}) as recorder:
            recorder.layers(layers)
            for iteration in iterations:
                recorder.metrics(iteration, {"loss": float(iteration)})
                recorder.spectra(iteration, measure(iteration))

    return record


def test_everything_of_a_spectrum_comes_back(record: Record, file: Path, measure: Any) -> None:
    record(0, 2)
    found = read_recording(file).spectra["features.3"]
    assert (found.layer.map, found.layer.stage, found.layer.width, found.layer.order) == (
        "conv",
        "features",
        8,
        1,
    )
    expected = [measure(i)[1] for i in (0, 2)]
    assert found.eigenvalues.dtype == np.float32
    assert found.trace.tolist() == [one.trace for one in expected]
    assert found.lambda_1.tolist() == [one.lambda_1 for one in expected]
    assert found.images.tolist() == [4, 4]
    assert found.positions.tolist() == [256, 256]


def test_any_arrow_reader_reads_it(record: Record, file: Path) -> None:
    record(0, 2)
    table = pa.ipc.open_stream(file.read_bytes()).read_all()
    assert table["kind"].to_pylist() == [*(["metric"] + 3 * ["spectrum"]) * 2, "end"]
    assert table.schema.field("eigenvalues").type == pa.list_(pa.float32())
    described = json.loads(table.schema.metadata[b"eigenscope.recording"])
    assert [layer["name"] for layer in described["layers"]] == ["features.0", "features.3", "head"]
    assert described["settings"]["optimiser"] == "sgd"


def test_an_existing_file_is_never_overwritten(
    record: Record, file: Path, about: dict[str, Any], layers: Any
) -> None:
    late = FileRecorder(file, **about)
    record(0)
    before = file.read_bytes()
    with pytest.raises(Conflict, match="exists already; name another file, or give append=True"):
        record(1)
    with late, pytest.raises(Conflict, match="exists already"):
        late.layers(layers)
    assert file.read_bytes() == before


def test_a_training_that_goes_on_appends(record: Record, file: Path) -> None:
    record(0, 5)
    record(5, 10, append=True)
    found = read_recording(file)
    assert found.spectra["head"].iterations.tolist() == [0, 5, 10]
    assert found.metrics["loss"].iterations == (0, 5, 10)
    assert (found.status, found.cut_off) == ("succeeded", False)


def test_append_makes_the_file_where_there_is_none(record: Record, file: Path) -> None:
    record(3, append=True)
    assert read_recording(file).spectra["head"].iterations.tolist() == [3]


def test_another_recording_is_not_appended_to(
    record: Record, file: Path, about: dict[str, Any], layers: Any
) -> None:
    record(0)
    with pytest.raises(Conflict, match="holds a recording with another name and settings"):
        record(1, append=True, name="other", settings={})
    with (
        FileRecorder(file, append=True, **about) as recorder,
        pytest.raises(Conflict, match="a recording with another layers"),
    ):
        recorder.layers(layers[:2])
    assert read_recording(file).spectra["head"].iterations.tolist() == [0]


def test_cut_off_anywhere_it_is_read_up_to_its_last_whole_batch(record: Record, file: Path) -> None:
    record(0, 1, 2)
    content = file.read_bytes()
    ends = [content.find(part) + len(part) for part in batches(content)]
    assert ends == sorted(ends)
    assert len(ends) == 7
    metrics, spectra = ends[0:6:2], ends[1:6:2]
    for length in [*range(ends[0], ends[-1], 7), ends[-1]]:
        file.write_bytes(content[:length])
        found = read_recording(file)
        assert len(found.metrics["loss"].values) == sum(end <= length for end in metrics)
        assert found.spectra["head"].iterations.tolist() == list(range(sum(end <= length for end in spectra)))
        assert found.status == ("succeeded" if length == ends[-1] else "running")
        assert found.cut_off == (length not in ends)


def batches(content: bytes) -> list[bytes]:
    return [bytes(batch.serialize()) for batch in pa.ipc.open_stream(content)]


def test_a_cut_off_tail_is_removed_before_more_is_written(
    record: Record, file: Path, about: dict[str, Any], layers: Any
) -> None:
    record(0, 1, 2)
    file.write_bytes(file.read_bytes()[:-900])
    assert read_recording(file).cut_off
    gone_on = FileRecorder(file, append=True, **about)
    gone_on.layers(layers)
    assert not read_recording(file).cut_off
    gone_on.finish("cancelled")
    record(2, 3, append=True)
    found = read_recording(file)
    assert found.spectra["head"].iterations.tolist() == [0, 1, 2, 3]
    assert not found.cut_off
    assert pa.ipc.open_stream(file.read_bytes()).read_all().num_rows > 0


def test_a_killed_program_loses_nothing_that_was_written(file: Path) -> None:
    program = f"""
import os, signal
from types import SimpleNamespace as Made
import numpy as np
from eigenscope import FileRecorder
layer = Made(name="a", map="conv", stage="b", width=2, order=0)
recorder = FileRecorder({str(file)!r}, name="mine")
recorder.layers([layer])
for i in range(3):
    values = np.array([1.0, 0.5])
    recorder.spectra(i, [Made(layer=layer, eigenvalues=values, trace=1.5, lambda_1=1.0, images=1, positions=4)])
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    found = read_recording(file)
    assert found.spectra["a"].iterations.tolist() == [0, 1, 2]
    assert (found.status, found.cut_off, found.name) == ("running", False, "mine")


class FullDisk(FileIO):
    """A file on a disk that takes no more than `room` bytes at a time once it is `full`."""

    full = False

    def write(self, content: Any) -> int:
        if not self.full:
            return super().write(content)
        super().write(bytes(content)[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_no_half_batch_behind(
    file: Path, about: dict[str, Any], layers: Any, measure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_module, "FileIO", FullDisk)
    with FileRecorder(file, **about) as recorder:
        recorder.layers(layers)
        recorder.spectra(0, measure(0))
        monkeypatch.setattr(FullDisk, "full", True)
        with pytest.raises(Unavailable, match=r"run\.arrows cannot be written: No space left"):
            recorder.spectra(1, measure(1))
        assert read_recording(file).spectra["head"].iterations.tolist() == [0]
        assert not read_recording(file).cut_off
        monkeypatch.setattr(FullDisk, "full", False)
        recorder.spectra(2, measure(2))
    found = read_recording(file)
    assert found.spectra["head"].iterations.tolist() == [0, 2]
    assert not found.cut_off


def test_it_can_be_read_while_it_grows(file: Path, about: dict[str, Any], layers: Any, measure: Any) -> None:
    with FileRecorder(file, **about) as recorder:
        recorder.layers(layers)
        for iteration in range(3):
            recorder.spectra(iteration, measure(iteration))
            found = read_recording(file)
            assert found.spectra["head"].iterations.tolist() == list(range(iteration + 1))
            assert found.status == "running"


def stream(metadata: dict[bytes, bytes] | None) -> bytes:
    return bytes(layout.SCHEMA.with_metadata(metadata).serialize())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is no recording .it is empty"),
        (b"hello, this is text", "is no recording"),
        (stream(None).replace(b"kind", b"\x80ind"), "a name in its schema is not UTF-8"),
        (stream(None), "is an Arrow stream, but no recording"),
        (stream({layout.METADATA: b"{"}), "is an Arrow stream, but no recording"),
        (stream({layout.METADATA: b"[1]"}), "is an Arrow stream, but no recording"),
        (stream({layout.METADATA: b'{"version": 2}'}), "was written by a newer Eigenscope"),
        (stream({layout.METADATA: b'{"version": 1, "name": "a"}'}), "is damaged: what it says of itself"),
        (bytes(pa.schema([("x", pa.int64())]).serialize()), "columns are x; they must be kind, iteration"),
    ],
)
def test_what_is_no_recording_is_named(file: Path, content: bytes, sentence: str) -> None:
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match=sentence):
        read_recording(file)


def test_a_file_that_is_not_there_or_cannot_be_is_named(
    file: Path, about: dict[str, Any], layers: Any
) -> None:
    with pytest.raises(InvalidInput, match=r"there is no file .*run\.arrows"):
        read_recording(file)
    recorder = FileRecorder(file.parent / "nowhere" / "run.arrows", **about)
    with recorder, pytest.raises(Unavailable, match="cannot be made: No such file or directory"):
        recorder.layers(layers)
