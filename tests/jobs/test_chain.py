"""The demo's chain at toy size through a real worker: a run waits for another's weights, at the cost foretold."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_a_run_that_is_queued_with_its_source_starts_from_its_last_weights(
    stack: Any, worker: subprocess.Popen[bytes], specification: dict[str, Any]
) -> None:
    body_widths = {k: v for k, v in specification["model"]["widths"].items() if k not in ("fpn", "box_head")}
    classifier = {
        **specification,
        "model": {**specification["model"], "architecture": "classifier", "widths": body_widths},
        "training": {**specification["training"], "image_size": 64},
    }
    source = stack.launch(classifier)
    waiting = stack.launch({**specification, "init": {"kind": "run", "run_id": source}})
    scratch = stack.launch(specification)
    ended = [stack.ended(run_id) for run_id in (source, waiting, scratch)]
    assert [run["status"] for run in ended] == ["succeeded"] * 3, stack.story(ended[1])
    assert ended[1]["started_at"] >= ended[0]["finished_at"]
    taken = ended[1]["start"]["weights"]
    assert taken["file"] == f"the checkpoint of run {source} at iteration 6"
    for run in ended:
        told = stack.answer("POST", "/runs/preview", json=run["specification"])
        kept = stack.answer("GET", f"/runs/{run['id']}/checkpoints")
        assert sum(one["bytes"] for one in kept) == pytest.approx(told["checkpoint_bytes"], rel=0.05)
        layers = stack.answer("GET", f"/runs/{run['id']}/layers")
        assert len(layers) == told["layers"]
        assert run["summary"]["snapshots"] == told["snapshots"]
        assert told["spectra_bytes"] == 4 * told["snapshots"] * sum(layer["width"] for layer in layers)
        assert told["time"]["device"] == run["device"]
