"""Runs through a real worker: finished, cancelled, handed back, lost and found again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def long(specification: dict[str, Any]) -> dict[str, Any]:
    training = {**specification["training"], "iterations": 400}
    return {**specification, "training": training, "probe": {"images": 2, "every": 1000}}


def training(run: dict[str, Any]) -> bool:
    return run["phase"] == "training" and run["progress"]["iteration"] >= 2


def spectra(stack: Any, run_id: int) -> dict[str, Any]:
    layers = [layer["name"] for layer in stack.answer("GET", f"/runs/{run_id}/layers")]
    return {name: stack.answer("GET", f"/runs/{run_id}/spectra", params={"layer": name}) for name in layers}


def test_a_run_is_carried_from_launch_to_its_spectra(
    stack: Any, worker: subprocess.Popen[bytes], specification: dict[str, Any]
) -> None:
    run = stack.ended(stack.launch(specification))
    assert run["status"] == "succeeded", stack.story(run)
    assert run["progress"]["iteration"] == 6
    assert run["summary"]["snapshots"] == 5
    assert run["summary"]["ap"] is not None
    for found in spectra(stack, run["id"]).values():
        assert found["iterations"] == [0, 1, 2, 3, 6]
    metrics = stack.answer("GET", f"/runs/{run['id']}/metrics")["metrics"]
    assert metrics["loss"]["iterations"] == [1, 2, 3, 4, 5, 6]
    assert stack.answer("GET", f"/runs/{run['id']}/logs")["lines"]
    checkpoints = stack.answer("GET", f"/runs/{run['id']}/checkpoints")
    assert [checkpoint["iteration"] for checkpoint in checkpoints] == [6]


def test_a_run_that_demands_more_gpus_waits_and_holds_nobody_up(
    stack: Any, worker: subprocess.Popen[bytes], specification: dict[str, Any]
) -> None:
    shared = {**specification["training"], "batch_size": 64}
    greedy = stack.launch({**specification, "training": shared, "resources": {"gpus": 64}})
    run = stack.ended(stack.launch(specification))
    assert run["status"] == "succeeded", stack.story(run)
    assert stack.answer("GET", f"/runs/{greedy}")["status"] == "queued"
    stack.answer("DELETE", f"/runs/{greedy}")


def test_one_run_starts_from_anothers_weights(
    stack: Any, worker: subprocess.Popen[bytes], specification: dict[str, Any]
) -> None:
    model = {**specification["model"], "architecture": "classifier"}
    body_widths = {k: v for k, v in model["widths"].items() if k not in ("fpn", "box_head")}
    classifier = {**specification, "model": {**model, "widths": body_widths}}
    source = stack.ended(stack.launch(classifier))
    assert source["status"] == "succeeded", stack.story(source)
    assert source["summary"]["top1"] is not None
    started = {**specification, "init": {"kind": "run", "run_id": source["id"]}}
    run = stack.ended(stack.launch(started))
    assert run["status"] == "succeeded", stack.story(run)
    assert run["parent_run_id"] == source["id"]


def test_cancel_stops_within_an_iteration_saves_and_can_be_resumed(
    stack: Any, worker: subprocess.Popen[bytes], specification: dict[str, Any]
) -> None:
    run_id = stack.launch(long(specification))
    stack.until(run_id, training)
    asked = stack.answer("POST", f"/runs/{run_id}/cancel")["progress"]["iteration"]
    run = stack.ended(run_id)
    assert run["status"] == "cancelled", stack.story(run)
    (checkpoint,) = stack.answer("GET", f"/runs/{run_id}/checkpoints")
    assert asked <= checkpoint["iteration"] < 400
    stack.answer("POST", f"/runs/{run_id}/resume")
    resumed = stack.until(
        run_id, lambda r: training(r) and r["progress"]["iteration"] > checkpoint["iteration"]
    )
    assert resumed["attempt"] == 1
    stack.answer("DELETE", f"/runs/{run_id}")


def test_deleting_a_running_run_ends_it_and_frees_the_worker(
    stack: Any, worker: subprocess.Popen[bytes], specification: dict[str, Any]
) -> None:
    run_id = stack.launch(long(specification))
    stack.until(run_id, training)
    stack.answer("DELETE", f"/runs/{run_id}")
    folder = stack.home / "runs" / str(run_id)
    after = stack.ended(stack.launch(specification))
    assert after["status"] == "succeeded", stack.story(after)
    assert not folder.exists()


def test_a_worker_that_leaves_hands_its_run_back_and_another_goes_on(
    stack: Any, worker: subprocess.Popen[bytes], specification: dict[str, Any]
) -> None:
    run_id = stack.launch({**specification, "training": {**specification["training"], "iterations": 40}})
    stack.until(run_id, training)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(90) == 0, stack.log("worker")
    handed = stack.run(run_id)
    assert handed["status"] == "queued"
    (checkpoint,) = stack.answer("GET", f"/runs/{run_id}/checkpoints")
    stack.start("worker")
    run = stack.ended(run_id)
    assert run["status"] == "succeeded", stack.story(run)
    losses = stack.answer("GET", f"/runs/{run_id}/metrics?names=loss")["metrics"]["loss"]
    assert losses["iterations"] == list(range(1, 41))
    words = [line["text"] for line in stack.answer("GET", f"/runs/{run_id}/logs")["lines"]]
    assert any(f"going on from iteration {checkpoint['iteration']}" in line for line in words)


def test_a_killed_worker_loses_no_run(
    stack: Any, worker: subprocess.Popen[bytes], specification: dict[str, Any]
) -> None:
    run_id = stack.launch({**specification, "training": {**specification["training"], "iterations": 40}})
    stack.until(run_id, training)
    worker.kill()
    worker.wait()
    time.sleep(1)
    stack.start("worker")
    run = stack.until(run_id, lambda r: r["status"] == "succeeded")
    assert run["attempt"] == 2
    for found in spectra(stack, run_id).values():
        assert found["iterations"] == sorted(set(found["iterations"]))
        assert found["iterations"][-1] == 40


def children(process: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()] + [
        int(pid)
        for task in Path(f"/proc/{process}/task").iterdir()
        if task.name != str(process)
        for pid in (task / "children").read_text().split()
    ]


def test_a_killed_trainer_goes_on_from_its_last_checkpoint(
    stack: Any, worker: subprocess.Popen[bytes], specification: dict[str, Any]
) -> None:
    training = {**specification["training"], "iterations": 40}
    run_id = stack.launch({**specification, "training": training, "checkpoint_every": 3})
    stack.until(run_id, lambda run: run["progress"]["iteration"] >= 5)
    (trainer,) = children(worker.pid)
    os.kill(trainer, signal.SIGKILL)
    run = stack.ended(run_id)
    assert (run["status"], run["attempt"]) == ("succeeded", 2), stack.story(run)
    losses = stack.answer("GET", f"/runs/{run_id}/metrics?names=loss")["metrics"]["loss"]
    assert losses["iterations"] == list(range(1, 41))
    words = [line["text"] for line in stack.answer("GET", f"/runs/{run_id}/logs?last=500")["lines"]]
    assert any("ended by SIGKILL" in line and "queued again" in line for line in words)
    assert any("going on from iteration" in line for line in words)


def test_a_failure_is_one_sentence(
    stack: Any, worker: subprocess.Popen[bytes], specification: dict[str, Any]
) -> None:
    wild = {**specification["training"], "lr": 100.0, "warmup": 0, "iterations": 60, "momentum": 0.99}
    run = stack.ended(stack.launch({**specification, "training": wild}))
    assert run["status"] == "failed", stack.story(run)
    assert "lower training.lr" in run["error"]
    assert "\n" not in run["error"]
    assert run["actions"] == ["resume", "retry", "delete"]
