"""What a run is said to cost before it is launched: epochs, disk, memory, and time by a run like it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.architectures.probed import probed_maps
from backend.database import Database
from backend.models import Run, Worker
from backend.models.base import now
from backend.runs.specification import RunSpecification


@pytest.fixture
def preview(client: TestClient, specification: RunSpecification) -> Callable[..., Any]:
    def preview(**changes: Any) -> Any:
        body = specification.model_dump(mode="json")
        for name, value in changes.items():
            body[name] = body[name] | value if isinstance(value, dict) else value
        answer = client.post("/api/v1/runs/preview", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return preview


def test_epochs_count_what_the_architecture_learns(preview: Callable[..., Any]) -> None:
    batch = {"iterations": 90, "batch_size": 2}
    assert preview(training=batch)["epochs"] == pytest.approx(90 * 2 / 9)
    crops = preview(training=batch, model={"architecture": "classifier"})
    assert crops["epochs"] == pytest.approx(90 * 2 / 20)
    many = preview(training={"iterations": 30_000, "batch_size": 2})["warnings"]
    assert any("scale the preset" in text for text in many)


def test_spectra_take_four_bytes_an_eigenvalue(preview: Callable[..., Any]) -> None:
    found = preview(
        training={"iterations": 100}, probe={"every": 50, "maps": ["block"], "layers": "layer[12]"}
    )
    blocks = [one for one in probed_maps("faster_rcnn", "resnet18", None) if one.kind == "block"][:4]
    assert found["snapshots"] == len((0, 1, 2, 5, 10, 20, 50, 100))
    assert found["layers"] == 4
    assert found["spectra_bytes"] == 8 * 4 * sum(one.width for one in blocks)
    nothing = preview(probe={"images": 0})
    assert (nothing["layers"], nothing["spectra_bytes"]) == (0, 0)


def test_an_expression_that_selects_no_layer_is_refused_with_names_that_there_are(
    client: TestClient, specification: RunSpecification
) -> None:
    body = specification.model_dump(mode="json")
    body["probe"] |= {"layers": "layer9"}
    for path in ("/api/v1/runs", "/api/v1/runs/preview"):
        answer = client.post(path, json=body)
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("probe.layers 'layer9' is in the name of none of the")


def test_an_expression_of_nested_repetitions_is_matched_in_bounded_time(preview: Callable[..., Any]) -> None:
    assert preview(probe={"layers": "(.+)+t1"})["layers"] == preview(probe={"layers": ".t1"})["layers"]


def test_frozen_stages_have_no_momenta(preview: Callable[..., Any]) -> None:
    model = {"norm": "batch"}
    free = preview(model=model, init={"kind": "imagenet"})
    frozen = preview(model=model, init={"kind": "imagenet"}, training={"trainable_stages": 3})
    assert free["training_bytes"] == 3 * 4 * free["parameters"]
    # stem and layer1 of a ResNet-18
    still = 64 * 3 * 49 + 2 * 64 + 4 * (64 * 64 * 9 + 2 * 64)
    assert free["training_bytes"] - frozen["training_bytes"] == 2 * 4 * still
    assert free["checkpoint_bytes"] - frozen["checkpoint_bytes"] == 4 * still


def test_checkpoints_stay_within_their_budget_but_the_last(preview: Callable[..., Any]) -> None:
    keep = {"checkpoint_keep": ["best", "snapshots"]}
    plain, all_kept = preview(checkpoint_keep=[]), preview(**keep)
    each = (preview(checkpoint_keep=["best"])["checkpoint_bytes"]) - plain["checkpoint_bytes"]
    assert all_kept["checkpoint_bytes"] == plain["checkpoint_bytes"] + all_kept["snapshots"] * each
    tight = preview(**keep, checkpoint_budget=(plain["checkpoint_bytes"] + 2.5 * each) / 1e9)
    assert tight["checkpoint_bytes"] == plain["checkpoint_bytes"] + 2 * each
    assert preview(**keep, checkpoint_budget=1e-6)["checkpoint_bytes"] == plain["checkpoint_bytes"]


def test_more_gpus_than_any_worker_has_are_warned_of(preview: Callable[..., Any], database: Database) -> None:
    before = preview(resources={"gpus": 2})["warnings"]
    with database.writing() as session:
        session.add(Worker(name="w", host="h", devices=[{"name": "GPU", "memory_bytes": 1}]))
    (told,) = [one for one in preview(resources={"gpus": 2})["warnings"] if one not in before]
    assert told.startswith("resources.gpus: it asks for 2 GPUs and no worker has more than 1: it waits")
    assert not any("GPUs and no worker" in one for one in preview(resources={"gpus": 1})["warnings"])


def add_finished(database: Database, specification: RunSpecification, macs: int, **columns: Any) -> int:
    ended = now()
    values: dict[str, Any] = {
        "status": "succeeded",
        "attempt": 1,
        "seconds_per_iteration": 0.5,
        "started_at": ended - timedelta(seconds=130),
        "finished_at": ended,
        "device": "cpu",
    }
    with database.writing() as session:
        run = Run(
            name="before",
            specification=specification.model_dump(mode="json"),
            dataset_id=specification.dataset_id,
            iterations=specification.training.iterations,
            iteration=specification.training.iterations,
            macs=macs,
            **values | columns,
        )
        session.add(run)
        session.flush()
        return run.id


def test_time_is_scaled_from_a_run_like_it(
    preview: Callable[..., Any], database: Database, specification: RunSpecification
) -> None:
    assert preview()["time"] is None
    macs = preview()["macs"]
    run_id = add_finished(database, specification, macs)
    same = preview()["time"]
    assert (same["run_id"], same["run_name"], same["device"], same["whole"]) == (
        run_id,
        "before",
        "cpu",
        True,
    )
    # 100 iterations of half a second; the other 80 s went into looking
    assert (same["training_seconds"], same["seconds"]) == (50, 130)
    batch = 2 * specification.training.batch_size
    double = preview(training={"batch_size": batch, "iterations": 100})["time"]
    assert (double["training_seconds"], double["seconds"]) == (100, 180)
    assert preview(model={"backbone": "resnet50"})["time"] is None


def test_time_of_a_run_of_several_attempts_is_that_of_its_updates(
    preview: Callable[..., Any], database: Database, specification: RunSpecification
) -> None:
    add_finished(database, specification, preview()["macs"], attempt=2)
    found = preview()["time"]
    assert (found["whole"], found["seconds"]) == (False, found["training_seconds"])


def test_time_is_taken_from_a_device_that_a_worker_has(
    preview: Callable[..., Any], database: Database, specification: RunSpecification
) -> None:
    macs = preview()["macs"]
    add_finished(database, specification, macs)
    fast = add_finished(database, specification, macs, device="NVIDIA H100", seconds_per_iteration=0.01)
    assert preview()["time"] is not None
    with database.writing() as session:
        session.add(Worker(name="w", host="h", devices=[{"name": "NVIDIA H100", "memory_bytes": 1}]))
    assert preview()["time"]["run_id"] == fast
    assert preview(resources={"gpus": 0})["time"]["device"] == "cpu"
