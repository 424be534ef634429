"""Runs over HTTP: launch, list, change, and the one shape of every error."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.models import Run
from backend.runs.repository import append_log
from backend.runs.specification import RunSpecification


@pytest.fixture
def body(specification: RunSpecification) -> dict[str, Any]:
    return specification.model_dump(mode="json")


@pytest.fixture
def run_id(client: TestClient, body: dict[str, Any]) -> int:
    answer = client.post("/api/v1/runs", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def set_status(app: FastAPI, run_id: int, status: str) -> None:
    with app.state.database.writing() as session:
        session.get_one(Run, run_id).status = status


def test_a_launched_run_is_queued_and_shown(client: TestClient, body: dict[str, Any], run_id: int) -> None:
    shown = client.get(f"/api/v1/runs/{run_id}").json()
    assert shown["status"] == "queued"
    assert shown["name"] == "cells faster_rcnn resnet18 scratch"
    assert shown["dataset"]["name"] == "cells"
    assert shown["progress"] == {
        "iteration": 0,
        "iterations": 100,
        "seconds_per_iteration": None,
        "eta_seconds": None,
        "eta_whole": True,
    }
    assert shown["specification"] == body
    assert shown["actions"] == ["cancel", "delete"]


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"dataset_id": 99}, "", "there is no dataset 99; register one"),
        ({"colour": "red"}, "colour", "there is no such field"),
        ({"training": {"iterations": "many"}}, "training.iterations", "`many` is not a whole number"),
        ({"training": {"iterations": 5, "warmup": 9}}, "training.warmup", "shorten the warm-up"),
        ({"model": {"widths": {"layer9": 4}}}, "", "model.widths: .*layer9"),
        ({"init": {"kind": "run", "run_id": 42}}, "", "there is no run 42 to take weights from"),
        ({"init": {"kind": "file", "file": "../../etc/passwd.pth"}}, "", "below the data root, without '..'"),
        ({"init": {"kind": "file", "file": "/etc/passwd.pth"}}, "", "below the data root"),
        ({"init": {"kind": "file", "file": "w.pkl"}}, "", "must end in .pth"),
        ({"init": {"kind": "file", "file": "w.pth"}}, "", "no file 'w.pth' below the data root"),
        ({"init": {"kind": "run"}}, "init.run_id", "is missing"),
    ],
)
def test_what_cannot_run_is_refused_and_nothing_is_queued(
    client: TestClient, body: dict[str, Any], change: dict[str, Any], field: str, sentence: str
) -> None:
    answer = client.post("/api/v1/runs", json={**body, **change})
    error = answer.json()
    assert answer.status_code == 422
    assert error["error"] == "invalid_input"
    assert any(part in error["detail"] for part in [sentence, *sentence.split(": .*")])
    if field:
        assert field in [problem["field"] for problem in error["fields"]]
    assert client.get("/api/v1/runs").json()["total"] == 0
    assert client.post("/api/v1/runs/preview", json={**body, **change}).status_code == 422


def test_a_preview_says_the_cost_and_stores_nothing(client: TestClient, body: dict[str, Any]) -> None:
    cost = client.post("/api/v1/runs/preview", json=body).json()
    assert cost["parameters"] > cost["backbone_parameters"] > 11_000_000
    assert cost["macs"] > 1e9
    assert cost["snapshots"] == 8
    assert any("probe set has 3 images" in warning for warning in cost["warnings"])
    assert client.get("/api/v1/runs").json()["total"] == 0


def test_a_run_without_a_checkpoint_cannot_be_started_from(
    app: FastAPI, client: TestClient, body: dict[str, Any], run_id: int
) -> None:
    set_status(app, run_id, "succeeded")
    answer = client.post("/api/v1/runs", json={**body, "init": {"kind": "run", "run_id": run_id}})
    assert answer.status_code == 422
    assert f"run {run_id} has no checkpoint" in answer.json()["detail"]


@pytest.mark.parametrize("action", ["cancel", "resume", "retry"])
def test_an_action_in_the_wrong_state_is_a_conflict_that_names_the_right_ones(
    app: FastAPI, client: TestClient, run_id: int, action: str
) -> None:
    set_status(app, run_id, "succeeded")
    answer = client.post(f"/api/v1/runs/{run_id}/{action}")
    assert answer.status_code == 409
    assert answer.json()["error"] == "conflict"
    assert f"run {run_id} is succeeded; {action} is possible only when it is:" in answer.json()["detail"]


def test_cancel_resume_and_delete(client: TestClient, run_id: int) -> None:
    assert client.post(f"/api/v1/runs/{run_id}/cancel").json()["status"] == "cancelled"
    assert client.post(f"/api/v1/runs/{run_id}/resume").json()["status"] == "queued"
    assert client.delete(f"/api/v1/runs/{run_id}").status_code == 204
    gone = client.get(f"/api/v1/runs/{run_id}")
    assert gone.status_code == 404
    assert gone.json()["error"] == "not_found"


def test_cancelling_a_running_run_asks_it_to_stop(app: FastAPI, client: TestClient, run_id: int) -> None:
    set_status(app, run_id, "running")
    answer = client.post(f"/api/v1/runs/{run_id}/cancel").json()
    assert answer["status"] == "running"
    assert "cancel" not in answer["actions"]


def test_a_deleted_runs_number_is_never_given_again(
    client: TestClient, body: dict[str, Any], run_id: int
) -> None:
    client.delete(f"/api/v1/runs/{run_id}")
    assert client.post("/api/v1/runs", json=body).json()["id"] > run_id


def test_lists_are_filtered_sorted_and_paged(client: TestClient, body: dict[str, Any]) -> None:
    for k in range(5):
        named = {**body, "name": f"run {k}", "tags": ["even" if k % 2 == 0 else "odd%"]}
        assert client.post("/api/v1/runs", json=named).status_code == 201
    names = [run["name"] for run in client.get("/api/v1/runs?sort=name").json()["items"]]
    assert names == sorted(names)
    assert client.get("/api/v1/runs?tag=even").json()["total"] == 3
    assert client.get("/api/v1/runs?text=odd%25").json()["total"] == 2
    assert client.get("/api/v1/runs?text=%25").json()["total"] == 2
    assert client.get("/api/v1/runs?status=running").json()["total"] == 0
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/api/v1/runs?limit=2&cursor={cursor}").json()
        seen += [run["name"] for run in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [f"run {k}" for k in (4, 3, 2, 1, 0)]
    assert client.get("/api/v1/runs?cursor=xx").status_code == 422
    assert client.get("/api/v1/runs?sort=password").status_code == 422


def test_editing_changes_name_and_tags_only(client: TestClient, run_id: int) -> None:
    edited = client.patch(f"/api/v1/runs/{run_id}", json={"name": "mine", "tags": ["a"]}).json()
    assert (edited["name"], edited["tags"]) == ("mine", ["a"])
    assert client.patch(f"/api/v1/runs/{run_id}", json={"status": "succeeded"}).status_code == 422


@pytest.mark.parametrize("path", ["", "/layers", "/metrics", "/spectra?layer=x", "/dimensions", "/logs"])
def test_an_unknown_run_is_404_in_the_one_shape(client: TestClient, path: str) -> None:
    answer = client.get(f"/api/v1/runs/777{path}")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "detail"}


def test_an_unknown_path_has_the_same_shape(client: TestClient) -> None:
    answer = client.get("/api/v1/nothing")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "detail"}


def test_logs_come_in_order_and_only_once(app: FastAPI, client: TestClient, run_id: int) -> None:
    with app.state.database.writing() as session:
        append_log(session, run_id, [f"line {k}" for k in range(5)])
    first = client.get(f"/api/v1/runs/{run_id}/logs?limit=3").json()
    assert [line["text"] for line in first["lines"]] == ["line 0", "line 1", "line 2"]
    rest = client.get(f"/api/v1/runs/{run_id}/logs?after={first['next']}").json()
    assert [line["number"] for line in rest["lines"]] == [4, 5]
    last = client.get(f"/api/v1/runs/{run_id}/logs?last=1").json()
    assert last["lines"] == [{"number": 5, "text": "line 4"}]
