"""What an operator sees of real processes: JSON lines from server, worker and trainer, a webhook, and numbers."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backend.listener import Listener, listening
from tests.jobs.conftest import Stack

SECRET = "between the two of us"


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with listening() as opened:
        yield opened


@pytest.fixture(scope="module")
def environment(listener: Listener) -> dict[str, str]:
    return {
        "EIGENSCOPE_LOG_FORMAT": "json",
        "EIGENSCOPE_WEBHOOK_URLS": listener.url,
        "EIGENSCOPE_WEBHOOK_SECRET": SECRET,
    }


def objects(file: Path) -> list[dict[str, Any]]:
    """Return a log's lines; each must be JSON with what every line has."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines, file
    for line in lines:
        assert {"time", "level", "logger", "event", "message", "process"} <= line.keys(), line
    return lines


def number(text: str, name: str) -> float:
    (found,) = re.findall(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found)


@pytest.mark.slow
def test_a_run_is_seen_from_the_outside(
    stack: Stack, listener: Listener, worker: Any, specification: dict[str, Any]
) -> None:
    run_id = stack.launch(specification)
    run = stack.ended(run_id)
    assert run["status"] == "succeeded", stack.story(run)

    deadline = time.monotonic() + 20
    while not listener.heard and time.monotonic() < deadline:
        time.sleep(0.1)
    (told,) = listener.bodies
    assert (told["event"], told["run"]["id"], told["run"]["name"]) == ("run.succeeded", run_id, run["name"])
    assert told["run"]["summary"]["parameters"] == run["summary"]["parameters"]

    numbers = stack.client.get("/metrics").text
    assert (
        number(numbers, "eigenscope_spectra_written_total")
        == run["summary"]["layers"] * run["summary"]["snapshots"]
    )
    assert number(numbers, "eigenscope_probe_seconds_count") == run["summary"]["snapshots"]
    assert number(numbers, 'eigenscope_webhook_deliveries{state="delivered"}') == 1

    folder = stack.home.parent
    server, of_worker = objects(folder / "serve.log"), objects(folder / "worker.log")
    launched = [
        line for line in server if line.get("method") == "POST" and line.get("route") == "/api/v1/runs"
    ]
    assert [line["status"] for line in launched] == [201]
    assert len(launched[0]["request_id"]) == 32
    claimed = [line for line in of_worker if line["event"] == "run %d claimed"]
    assert [(line["run_id"], line["process"]) for line in claimed] == [(run_id, "worker")]
    name = claimed[0]["worker"]
    for line in objects(stack.home / "runs" / str(run_id) / "trainer.log"):
        assert (line["process"], line["worker"], line["run_id"]) == ("trainer", name, run_id)
    written = "".join((folder / f"{command}.log").read_text() for command in ("serve", "worker"))
    assert SECRET not in written
    assert "within-the-address" not in written

    shown = stack.answer("GET", f"/runs/{run_id}/logs?last=50")["lines"]
    assert any(
        re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO iteration 6 of 6: .*", x["text"])
        for x in shown
    )
    assert not [x["text"] for x in shown if x["text"].startswith("{")]
