"""Predictions: kept of the last evaluations, given over the API, gone when their run begins anew or is deleted."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from backend.database import Database
from backend.measurements.records import PredictionRow
from backend.models import Prediction, Run
from backend.runs.specification import RunSpecification
from backend.settings import Settings
from worker.recorder import Recorder

OBJECT = {"bbox": [1.0, 2.0, 3.0, 4.0], "category_id": 1}
OUTLINED = OBJECT | {"outlines": [[1.0, 2.0, 4.0, 2.0, 4.0, 6.0]]}


def row(image_id: int, score: float) -> PredictionRow:
    found = [OUTLINED | {"score": score}]
    data: dict[str, Any] = {"file_name": f"{image_id}.png", "width": 20, "height": 10}
    return PredictionRow(image_id, data | {"objects": 1, "truth": [OBJECT], "found": found})


@pytest.fixture
def run_id(database: Database, specification: RunSpecification) -> int:
    with database.writing() as session:
        run = Run(
            name="r",
            specification=specification.model_dump(mode="json"),
            dataset_id=specification.dataset_id,
            status="failed",
            iterations=10,
        )
        session.add(run)
        session.flush()
        return run.id


@pytest.fixture
def recorder(database: Database, run_id: int, settings: Settings) -> Recorder:
    return Recorder(database, run_id, None, settings.home)


def test_before_an_evaluation_there_are_none(client: TestClient, run_id: int, dataset_id: int) -> None:
    answer = client.get(f"/api/v1/runs/{run_id}/predictions").json()
    assert (answer["iterations"], answer["iteration"], answer["images"]) == ([], None, [])
    assert (answer["dataset_id"], answer["split"]) == (dataset_id, "val")
    assert answer["categories"] == [{"id": 1, "name": "cell"}]


def test_the_newest_are_given_and_older_ones_by_iteration(
    client: TestClient, run_id: int, recorder: Recorder
) -> None:
    recorder.predictions(5, [row(9, 0.5), row(3, 0.25)])
    recorder.predictions(10, [row(9, 0.75)])
    newest = client.get(f"/api/v1/runs/{run_id}/predictions").json()
    assert (newest["iterations"], newest["iteration"]) == ([5, 10], 10)
    older = client.get(f"/api/v1/runs/{run_id}/predictions?iteration=5").json()
    assert [image["image_id"] for image in older["images"]] == [3, 9]
    assert older["images"][1] == {
        "image_id": 9,
        "file_name": "9.png",
        "width": 20,
        "height": 10,
        "objects": 1,
        "truth": [OBJECT | {"outlines": None}],
        "found": [OUTLINED | {"score": 0.5}],
    }


def test_an_iteration_without_predictions_is_refused(
    client: TestClient, run_id: int, recorder: Recorder
) -> None:
    recorder.predictions(5, [row(9, 0.5)])
    answer = client.get(f"/api/v1/runs/{run_id}/predictions?iteration=6")
    assert answer.status_code == 404
    assert answer.json()["detail"] == f"run {run_id} has no predictions of iteration 6; it has: 5"
    assert client.get("/api/v1/runs/999/predictions").status_code == 404


def test_the_last_three_evaluations_are_kept_and_may_be_written_again(
    client: TestClient, run_id: int, recorder: Recorder
) -> None:
    for iteration in (10, 20, 30, 40, 40):
        recorder.predictions(iteration, [row(1, 0.5), row(2, 0.5)])
    recorder.predictions(40, [row(2, 0.125)])
    recorder.predictions(50, [])
    answer = client.get(f"/api/v1/runs/{run_id}/predictions").json()
    assert answer["iterations"] == [20, 30, 40]
    assert [image["found"][0]["score"] for image in answer["images"]] == [0.5, 0.125]


def test_the_newest_result_has_mask_ap(client: TestClient, run_id: int, recorder: Recorder) -> None:
    recorder.result(ap=0.25, ap50=0.5, mask_ap=0.125)
    assert client.get(f"/api/v1/runs/{run_id}").json()["summary"]["mask_ap"] == 0.125
    listed = client.get("/api/v1/runs?sort=-mask_ap").json()["items"]
    assert [item["summary"]["mask_ap"] for item in listed] == [0.125]


@pytest.mark.parametrize("way", ["retry", "delete"])
def test_predictions_go_when_the_run_begins_anew_or_is_deleted(
    client: TestClient, database: Database, run_id: int, recorder: Recorder, way: str
) -> None:
    recorder.predictions(5, [row(9, 0.5)])
    recorder.result(mask_ap=0.5)
    url = f"/api/v1/runs/{run_id}"
    answer = client.delete(url) if way == "delete" else client.post(f"{url}/retry")
    assert answer.is_success, answer.text
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Prediction)) == 0
    if way == "retry":
        assert client.get(url).json()["summary"]["mask_ap"] is None
