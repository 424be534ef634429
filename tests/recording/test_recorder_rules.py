"""What every recorder refuses, and how it ends when its training does; on a file, the quickest of the three."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import eigenscope
from backend.errors import Conflict, InvalidInput, Unavailable
from eigenscope import FileRecorder
from eigenscope.recording import recorder as recorder_module


class Stumbling(FileRecorder):
    """A recorder whose place is away while `away`."""

    away = True

    def _write_metrics(self, points: Any) -> None:
        if self.away:
            raise Unavailable("the disk is full")
        super()._write_metrics(points)

    def _write_end(self, request: Any) -> None:
        if self.away:
            raise Unavailable("the disk is full")
        super()._write_end(request)


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (ValueError("the loss\nis NaN"), "failed", "ValueError: the loss"),
        (RuntimeError(), "failed", "RuntimeError"),
        (Conflict("a sentence of ours"), "failed", "a sentence of ours"),
        (OSError("\0 and \ud800"), "failed", "OSError:  and ?"),
        (KeyboardInterrupt(), "cancelled", None),
    ],
)
def test_an_exception_ends_the_recording_and_goes_on_its_way(
    file: Path,
    about: dict[str, Any],
    layers: Sequence[Any],
    measure: Any,
    read_file: Any,
    error: BaseException,
    status: str,
    sentence: str | None,
) -> None:
    def train() -> None:
        with FileRecorder(file, **about) as recorder:
            recorder.layers(layers)
            recorder.spectra(0, measure(0))
            recorder.metrics(1, {"loss": 1.0})
            raise error

    with pytest.raises(type(error)) as caught:
        train()
    assert caught.value is error
    kept = read_file()
    assert (kept.status, kept.error) == (status, sentence)
    assert kept.iterations["head"] == [0]
    assert kept.metrics["loss"].values == (1.0,)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"eigenvalues": np.array([1.0])},
            "layer 'features.0' at iteration 1 has 1 eigenvalues, but its width is 5",
        ),
        ({"eigenvalues": np.full(5, np.nan)}, "layer 'features.0' at iteration 1 holds NaN"),
        ({"eigenvalues": np.full(5, 1e39)}, "holds NaN, infinity or a number beyond float32"),
        ({"eigenvalues": np.arange(5.0)}, "has eigenvalues that rise"),
        ({"images": -1}, "counts -1 images"),
    ],
)
def test_what_cannot_be_recorded_is_refused_and_the_recording_goes_on(
    file: Path,
    about: dict[str, Any],
    layers: Sequence[Any],
    measure: Any,
    read_file: Any,
    changes: dict[str, Any],
    sentence: str,
) -> None:
    with FileRecorder(file, **about) as recorder:
        recorder.layers(layers)
        with pytest.raises(InvalidInput, match=sentence):
            recorder.spectra(1, measure(1, **changes))
        recorder.spectra(2, measure(2))
    assert read_file().iterations["head"] == [2]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"loss": [1, 2]}, "the metric 'loss' is a list, not a number"),
        ({"loss": "low"}, "the metric 'loss' is a str"),
        ({"loss": None}, "the metric 'loss' is a NoneType"),
        ({"loss": torch.zeros(2)}, "the metric 'loss' is a Tensor"),
        ({"loss": np.zeros(2)}, "the metric 'loss' is a ndarray"),
        ({"": 1}, "at least 1 character"),
        ({}, "at least 1 item"),
    ],
)
def test_scalars_that_are_none_are_refused(
    file: Path, about: dict[str, Any], layers: Sequence[Any], values: dict[str, Any], sentence: str
) -> None:
    with FileRecorder(file, **about) as recorder:
        recorder.layers(layers)
        with pytest.raises(InvalidInput, match=sentence):
            recorder.metrics(1, values)
        with pytest.raises(InvalidInput, match="iteration: must be at least 0"):
            recorder.metrics(-1, {"loss": 1})
        with pytest.raises(InvalidInput, match=r"an iteration is a whole number, not 1\.5"):
            recorder.metrics(1.5, {"loss": 1})  # type: ignore[arg-type]


def test_a_loss_may_be_given_as_it_is(
    file: Path, about: dict[str, Any], layers: Sequence[Any], read_file: Any
) -> None:
    with FileRecorder(file, **about) as recorder, warnings.catch_warnings():
        warnings.simplefilter("error")
        recorder.layers(layers)
        recorder.metrics(1, {"loss": torch.tensor(0.5, requires_grad=True), "top1": np.float64(0.25)})
    assert read_file().metrics["loss"].values == (0.5,)


def test_each_write_of_scalars_says_when_it_was(
    file: Path, about: dict[str, Any], layers: Sequence[Any], read_file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "FLUSH_SECONDS", 0)
    with FileRecorder(file, **about) as recorder:
        recorder.layers(layers)
        recorder.metrics(1, {"loss": 1.0})
        recorder.metrics(2, {"loss": 1.0, "wall_seconds": 77.0})
        recorder.metrics(3, {"loss": 1.0})
    found = read_file().metrics["wall_seconds"]
    assert found.iterations == (1, 2, 3)
    assert found.values[1] == 77.0
    assert 0 < found.values[0] < found.values[2] < 77


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "name: must have at least 1 character"),
        ({"init": "magic"}, "init.kind: must be 'imagenet', 'scratch' or 'unknown'"),
        ({"settings": {"layers": [1]}}, "settings: 'layers' is a list; a setting is text"),
        ({"iterations": -1}, "iterations: "),
    ],
)
def test_a_description_that_cannot_be_is_refused_at_once(
    file: Path, about: dict[str, Any], changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        FileRecorder(file, **{**about, **changes})
    assert not file.exists()


def test_a_write_that_fails_may_be_made_again(
    file: Path, about: dict[str, Any], layers: Sequence[Any], read_file: Any
) -> None:
    with Stumbling(file, **about) as recorder:
        recorder.layers(layers)
        recorder.metrics(1, {"loss": 1.0})
        with pytest.raises(Unavailable):
            recorder.flush()
        recorder.away = False
        recorder.metrics(2, {"loss": 2.0})
    assert read_file().metrics["loss"].values == (1.0, 2.0)


def test_the_first_error_is_what_a_person_sees(
    file: Path, about: dict[str, Any], layers: Sequence[Any], caplog: pytest.LogCaptureFixture
) -> None:
    def train() -> None:
        with Stumbling(file, **about) as recorder:
            recorder.layers(layers)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train()
    assert "how the recording ended could not be written: the disk is full" in caplog.text


def test_an_end_that_cannot_be_written_is_an_error_of_its_own(
    file: Path, about: dict[str, Any], layers: Sequence[Any]
) -> None:
    def train() -> None:
        with Stumbling(file, **about) as recorder:
            recorder.layers(layers)

    with pytest.raises(Unavailable, match="the disk is full"):
        train()


def test_recording_needs_no_torch(tmp_path: Path) -> None:
    program = "\n".join(
        [
            "import sys, eigenscope",
            "names = ('DatabaseRecorder', 'FileRecorder', 'Recorder', 'RecordingStopped', 'ServerRecorder')",
            "print([getattr(eigenscope, name).__name__ for name in (*names, 'Recording', 'read_recording')])",
            "assert set(names) < set(dir(eigenscope))",
            "assert not [name for name in sys.modules if name.split('.')[0] in ('torch', 'worker')]",
        ]
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = eigenscope.Nothing
