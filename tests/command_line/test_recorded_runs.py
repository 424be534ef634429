"""The command line knows recorded runs: listed and cancelled like others, taken up by no worker."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from eigenscope import DatabaseRecorder, RecordingStopped

LAYER = SimpleNamespace(name="a", map="conv", stage="b", width=2, order=0)


@pytest.fixture
def recorder(eigenscope: Any, home: Path) -> DatabaseRecorder:
    assert eigenscope("migrate").status == 0
    made = DatabaseRecorder(name="my own loop")
    made.layers([LAYER])
    made.metrics(7, {"loss": 1.0})
    made.flush()
    return made


def test_a_run_of_unknown_length_is_listed(eigenscope: Any, recorder: DatabaseRecorder) -> None:
    listed = eigenscope("runs", "list")
    assert "my own loop" in listed.out
    assert "7/?" in listed.out
    shown = json.loads(eigenscope("runs", "show", recorder.run_id, "--json").out)
    assert (shown["origin"], shown["dataset"], shown["progress"]["iteration"]) == ("recorded", None, 7)


def test_cancel_reaches_the_training(eigenscope: Any, recorder: DatabaseRecorder) -> None:
    assert "is stopping" in eigenscope("runs", "cancel", recorder.run_id).err
    refused = eigenscope("runs", "resume", recorder.run_id)
    assert refused.status == 1
    assert "no worker can resume" in refused.err
    recorder.metrics(8, {"loss": 0.5})
    with pytest.raises(RecordingStopped):
        recorder.flush()


def test_waiting_ends_with_the_recording(eigenscope: Any, recorder: DatabaseRecorder) -> None:
    recorder.finish("failed", "the data ran out")
    waited = eigenscope("runs", "wait", recorder.run_id)
    assert waited.status == 1
    assert "failed: the data ran out" in waited.err
