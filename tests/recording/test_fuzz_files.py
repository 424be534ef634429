"""Damaged recordings: what can be read of them, or one clear sentence; never anything else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.errors import InvalidInput, Unavailable
from benchmarks.drills.input_leaves import LEAVES, changed, places
from eigenscope import FileRecorder, read_recording
from eigenscope.recording import layout
from eigenscope.recording.reading import Recording

FEW = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
LONGEST = 2000


@pytest.fixture
def whole(file: Path, about: dict[str, Any], layers: Sequence[Any], measure: Any) -> bytes:
    with FileRecorder(file, **about) as recorder:
        recorder.layers(layers)
        for iteration in (0, 3):
            recorder.metrics(iteration, {"loss": 1.0})
            recorder.spectra(iteration, measure(iteration))
    return file.read_bytes()


def expect_sense(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    found, sentence = read_or_refused(file)
    assert 0 < len(sentence.strip()) < LONGEST
    assert found is None or all(np.isfinite(one.eigenvalues).all() for one in found.spectra.values())


def read_or_refused(file: Path) -> tuple[Recording | None, str]:
    try:
        return read_recording(file), "read"
    except (InvalidInput, Unavailable) as error:
        return None, str(error)


@FEW
@given(at=st.integers(0, 100_000), put=st.binary(max_size=8), skip=st.integers(0, 16))
def test_damaged_bytes(file: Path, whole: bytes, at: int, put: bytes, skip: int) -> None:
    at %= len(whole)
    expect_sense(file, whole[:at] + put + whole[at + skip :])


@FEW
@given(content=st.binary(max_size=400))
def test_any_bytes(file: Path, content: bytes) -> None:
    expect_sense(file, content)


@FEW
@given(data=st.data())
def test_another_value_in_what_it_says_of_itself(file: Path, whole: bytes, data: st.DataObject) -> None:
    schema = pa.ipc.open_stream(whole).schema
    about = json.loads(schema.metadata[layout.METADATA])
    place = data.draw(st.sampled_from(list(places(about))))
    other = changed(about, place, data.draw(st.sampled_from(LEAVES)))
    begun = schema.with_metadata({layout.METADATA: json.dumps(other).encode()}).serialize().to_pybytes()
    expect_sense(file, begun + whole[len(schema.serialize().to_pybytes()) :])
