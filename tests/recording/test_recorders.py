"""The three recorders keep the same numbers and end in the same ways, wherever they write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend import migration
from backend.database import Database
from backend.errors import Conflict, EigenscopeError, InvalidInput
from backend.models import Run
from backend.runs import queue
from backend.runs import service as runs
from eigenscope import DatabaseRecorder, RecordingStopped

SHOWN = pytest.mark.parametrize("place", ["sqlite", "server"], indirect=True)
"""Where somebody else can see the run while it is recorded."""


def test_what_is_recorded_is_there_to_the_bit(
    place: Any, about: dict[str, Any], layers: Sequence[Any], measure: Any
) -> None:
    with place.make(**about) as recorder:
        recorder.layers(layers)
        for iteration in (0, 1, 5):
            # numpy's own integers, as loops over arrays give them, are numbers like others.
            recorder.metrics(np.int64(iteration), {"loss": 1 / (iteration + 1), "bad": float("inf")})
            recorder.spectra(np.int64(iteration), measure(iteration, images=np.int64(4)))
        recorder.metrics(6, {"loss": np.float32(0.25)})
    kept = place.read(recorder)
    assert kept.about == about
    assert (kept.status, kept.error) == ("succeeded", None)
    assert kept.layers == [layer.name for layer in layers]
    for k, layer in enumerate(layers):
        assert kept.iterations[layer.name] == [0, 1, 5]
        expected = np.stack([measure(i)[k].eigenvalues for i in (0, 1, 5)])
        np.testing.assert_array_equal(kept.eigenvalues[layer.name], expected.astype(np.float32))
        assert kept.dimensionality[layer.name] == (expected > 1e-3).sum(1).tolist()
    assert kept.metrics["loss"].iterations == (0, 1, 5, 6)
    assert kept.metrics["loss"].values == (1.0, 0.5, 1 / 6, 0.25)
    assert kept.metrics["bad"].values == (None, None, None)


def test_of_what_is_written_twice_the_later_counts(
    place: Any, about: dict[str, Any], layers: Sequence[Any], measure: Any
) -> None:
    with place.make(**about) as recorder:
        recorder.layers(layers)
        for scale in (1.0, 3.0):
            recorder.spectra(5, measure(5, scale))
            recorder.metrics(5, {"loss": scale})
    kept = place.read(recorder)
    assert kept.iterations["head"] == [5]
    last = measure(5, 3.0)[-1].eigenvalues.astype(np.float32)
    np.testing.assert_array_equal(kept.eigenvalues["head"][0], last)
    assert kept.metrics["loss"].values == (3.0,)


def test_an_explicit_end_is_the_end(
    place: Any, about: dict[str, Any], layers: Sequence[Any], measure: Any
) -> None:
    with place.make(**about) as recorder:
        recorder.layers(layers)
        recorder.finish("failed", "the data ran out")
        for act in (
            lambda: recorder.spectra(1, measure(1)),
            lambda: recorder.metrics(1, {"loss": 1}),
            lambda: recorder.layers(layers),
            recorder.finish,
        ):
            with pytest.raises(Conflict):
                act()
    kept = place.read(recorder)
    assert (kept.status, kept.error) == ("failed", "the data ran out")


def test_nothing_is_recorded_before_the_layers(place: Any, about: dict[str, Any], measure: Any) -> None:
    with place.make(**about) as recorder:
        for act in (lambda: recorder.spectra(0, measure(0)), lambda: recorder.metrics(0, {"a": 1})):
            with pytest.raises(Conflict, match=r"call recorder\.layers"):
                act()


@SHOWN
@pytest.mark.parametrize("how", ["cancel", "delete"])
def test_a_cancelled_or_deleted_run_stops_its_training(
    place: Any,
    about: dict[str, Any],
    layers: Sequence[Any],
    measure: Any,
    how: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def train(recorder: Any) -> None:
        with recorder:
            recorder.layers(layers)
            recorder.spectra(0, measure(0))
            with place.database.writing() as session:
                getattr(runs, how)(session, recorder.run_id)
            recorder.metrics(1, {"loss": 1.0})
            recorder.spectra(1, measure(1))

    recorder = place.make(**about)
    with pytest.raises(RecordingStopped, match=r"run \d+.* no longer stored"):
        train(recorder)
    assert "could not be written" not in caplog.text
    with place.database.reading() as session:
        run = session.get(Run, recorder.run_id)
    assert run is None if how == "delete" else (run is not None and run.status == "cancelled")


@SHOWN
def test_a_recording_that_was_given_up_comes_back(
    place: Any, about: dict[str, Any], layers: Sequence[Any], measure: Any
) -> None:
    with place.make(**about) as recorder:
        recorder.layers(layers)
        with place.database.writing() as session:
            queue.change(session, Run.id == recorder.run_id, status="lost")
        recorder.spectra(3, measure(3))
        assert place.read(recorder).status == "running"
    assert place.read(recorder).status == "succeeded"


def test_a_database_that_is_not_migrated_is_refused_with_the_mend(
    tmp_path: Path, about: dict[str, Any]
) -> None:
    with pytest.raises(Conflict, match="is empty; run `eigenscope migrate` first"):
        DatabaseRecorder(f"sqlite:///{tmp_path / 'new.db'}", **about)


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_without_a_url_the_settings_name_the_database(
    place: Any,
    tmp_path: Path,
    about: dict[str, Any],
    layers: Sequence[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EIGENSCOPE_HOME", str(tmp_path))
    monkeypatch.delenv("EIGENSCOPE_DATABASE_URL", raising=False)
    opened = Database(f"sqlite:///{tmp_path / 'eigenscope.db'}")
    migration.upgrade(opened)
    with DatabaseRecorder(**about) as recorder:
        recorder.layers(layers)
    with opened.reading() as session:
        assert session.get_one(Run, recorder.run_id).status == "succeeded"
    opened.dispose()


@pytest.mark.parametrize("url", ["nonsense", "mysql://root:secret@host/x", "http://host", ""])
def test_a_url_of_no_database_is_refused_without_its_password(url: str, about: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="write sqlite:///PATH or postgresql") as caught:
        DatabaseRecorder(url, **about)
    assert "secret" not in str(caught.value)


def test_a_database_that_is_away_is_one_sentence(about: dict[str, Any]) -> None:
    with pytest.raises(EigenscopeError, match="does not answer"):
        DatabaseRecorder("postgresql://someone@127.0.0.1:1/none", **about)
