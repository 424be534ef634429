"""What a run's first weights will be, told over HTTP by a server that has no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.architectures.tensors import tensor_shapes
from backend.models import Run
from backend.runs.specification import RunSpecification
from backend.runs.start import StagePart, StartReport
from backend.settings import Settings


@pytest.fixture
def body(specification: RunSpecification, settings: Settings) -> dict[str, Any]:
    (settings.data / "weights").mkdir(parents=True)
    return specification.model_dump(mode="json") | {"init": {"kind": "file", "file": "weights/w.safetensors"}}


def write(root: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    """Write a safetensors file of float16 zeros, as its format says."""
    header, at = {}, 0
    for key, shape in shapes.items():
        size = 2
        for side in shape:
            size *= side
        header[key] = {"dtype": "F16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    (root / "weights" / "w.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(at))


def test_a_preview_tells_what_is_taken(client: TestClient, body: dict[str, Any], settings: Settings) -> None:
    write(settings.data, tensor_shapes("classifier", "resnet18", "batch", None, 9))
    told = client.post("/api/v1/runs/preview", json=body).json()["weights"]
    assert (told["file"], told["naming"], told["used"]) == ("weights/w.safetensors", "torchvision", 120)
    assert (told["left_over"], told["left_over_count"]) == (["fc.weight", "fc.bias"], 2)
    assert told["missing_count"] == len(told["missing"]) == 30
    assert told["notes"] == ["Drawn at random, since the weights have none: the FPN, the RPN, the box head."]


def test_lists_are_bounded_and_counted(client: TestClient, body: dict[str, Any], settings: Settings) -> None:
    own = tensor_shapes("classifier", "resnet18", "batch", None, 9)
    write(settings.data, own | {f"other.{number}": (1,) for number in range(500)})
    told = client.post("/api/v1/runs/preview", json=body).json()["weights"]
    assert (len(told["left_over"]), told["left_over_count"]) == (200, 502)


def test_imagenet_is_told_without_its_file(client: TestClient, body: dict[str, Any]) -> None:
    told = client.post("/api/v1/runs/preview", json={**body, "init": {"kind": "imagenet"}}).json()["weights"]
    assert (told["file"], told["used"]) == ("resnet18-f37072fd.pth", 120)
    assert (
        client.post("/api/v1/runs/preview", json={**body, "init": {"kind": "scratch"}}).json()["weights"]
        is None
    )


def test_a_launch_refuses_in_the_words_of_the_preview(
    client: TestClient, body: dict[str, Any], settings: Settings
) -> None:
    own = tensor_shapes("classifier", "resnet34", "batch", None, 9)
    write(settings.data, own)
    answers = [client.post(f"/api/v1/runs{path}", json=body) for path in ("/preview", "")]
    assert [answer.status_code for answer in answers] == [422, 422]
    words = {answer.json()["detail"] for answer in answers}
    assert words == {
        "init.file: weights/w.safetensors holds 'layer1.2.conv1.weight', which the model does not have; choose the "
        "architecture and backbone that the weights were made with, or other weights"
    }
    assert client.get("/api/v1/runs").json()["total"] == 0


def test_how_a_run_began_is_shown_once_its_trainer_has_told(
    app: FastAPI, client: TestClient, body: dict[str, Any]
) -> None:
    run_id = client.post("/api/v1/runs", json={**body, "init": {"kind": "scratch"}}).json()["id"]
    assert client.get(f"/api/v1/runs/{run_id}").json()["start"] is None
    parts = [
        StagePart(name="stem", parameters=3, trains=False),
        StagePart(name="fc", parameters=2, trains=True),
    ]
    told = StartReport(init="scratch", weights=None, parts=parts)
    with app.state.database.writing() as session:
        run = session.get_one(Run, run_id)
        run.start, run.status = told.model_dump(mode="json"), "failed"
    assert client.get(f"/api/v1/runs/{run_id}").json()["start"] == told.model_dump()
    assert (told.trained_parameters, told.frozen_parameters) == (2, 3)
    assert client.post(f"/api/v1/runs/{run_id}/retry").json()["start"] is None
