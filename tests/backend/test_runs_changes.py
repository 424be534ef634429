"""Names, tags, notes, the archive; and one action on several runs."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.models import Run
from backend.runs.specification import RunSpecification


@pytest.fixture
def runs(app: FastAPI, client: TestClient, specification: RunSpecification) -> dict[str, int]:
    """Return ids of a run in each of these states, by state."""
    found: dict[str, int] = {}
    for status in ("queued", "running", "succeeded", "failed"):
        body = specification.model_dump(mode="json") | {"name": f"the {status} one"}
        found[status] = client.post("/api/v1/runs", json=body).json()["id"]
        with app.state.database.writing() as session:
            session.get_one(Run, found[status]).status = status
    return found


def batch(client: TestClient, action: str, *run_ids: int) -> dict[str, Any]:
    answer = client.post("/api/v1/runs/batch", json={"action": action, "run_ids": run_ids})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_an_edit_changes_what_it_names_and_nothing_else(client: TestClient, runs: dict[str, int]) -> None:
    url = f"/api/v1/runs/{runs['succeeded']}"
    edited = client.patch(url, json={"name": " mine ", "tags": ["b", "a", "b"], "notes": "two\nlines"}).json()
    assert (edited["name"], edited["tags"], edited["notes"]) == ("mine", ["b", "a"], "two\nlines")
    again = client.patch(url, json={"notes": ""}).json()
    assert (again["name"], again["tags"], again["notes"]) == ("mine", ["b", "a"], "")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"tags": ["fine", ""]}, "tags.1"),
        ({"tags": ["x" * 61]}, "tags.0"),
        ({"tags": [str(k) for k in range(21)]}, "tags"),
        ({"notes": "a \0"}, "notes"),
        ({"notes": "x" * 10_001}, "notes"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_an_edit_that_does_not_fit_names_its_field_and_changes_nothing(
    client: TestClient, runs: dict[str, int], body: dict[str, Any], field: str
) -> None:
    url = f"/api/v1/runs/{runs['succeeded']}"
    before = client.get(url).json()
    answer = client.patch(url, json={"notes": "also this"} | body)
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["fields"]] == [field]
    assert client.get(url).json() == before


def test_archived_runs_are_hidden_unless_asked_for(client: TestClient, runs: dict[str, int]) -> None:
    put = client.patch(f"/api/v1/runs/{runs['failed']}", json={"archived": True})
    assert put.json()["archived"] is True

    def listed(archived: str) -> int:
        return int(client.get("/api/v1/runs", params={"archived": archived}).json()["total"])

    assert client.get("/api/v1/runs").json()["total"] == 3
    assert (listed("no"), listed("also"), listed("only")) == (3, 4, 1)
    assert client.post(f"/api/v1/runs/{runs['failed']}/resume").json()["archived"] is False


@pytest.mark.parametrize("status", ["queued", "running"])
def test_what_is_under_way_cannot_be_archived(client: TestClient, runs: dict[str, int], status: str) -> None:
    answer = client.patch(f"/api/v1/runs/{runs[status]}", json={"archived": True, "name": "other"})
    assert answer.status_code == 409
    assert f"is {status}; cancel it or wait for its end" in answer.json()["detail"]
    assert client.get(f"/api/v1/runs/{runs[status]}").json()["name"] == f"the {status} one"


def test_a_batch_does_what_is_valid_and_says_why_the_rest_is_not(
    client: TestClient, runs: dict[str, int]
) -> None:
    result = batch(client, "cancel", runs["queued"], 999, runs["succeeded"], runs["running"], runs["queued"])
    assert (result["done"], result["refused"]) == (2, 2)
    told = [(one["run_id"], one["name"], one["done"]) for one in result["results"]]
    assert told == [
        (runs["queued"], "the queued one", True),
        (999, None, False),
        (runs["succeeded"], "the succeeded one", False),
        (runs["running"], "the running one", True),
    ]
    details = [one["detail"] for one in result["results"]]
    assert details[0] is None
    assert "there is no run 999" in details[1]
    assert "cancel is possible only when it is: queued, running" in details[2]
    assert client.get(f"/api/v1/runs/{runs['queued']}").json()["status"] == "cancelled"
    assert client.get(f"/api/v1/runs/{runs['running']}").json()["actions"] == ["delete"]


def test_batches_archive_take_back_and_delete(app: FastAPI, client: TestClient, runs: dict[str, int]) -> None:
    ids = list(runs.values())
    archived = batch(client, "archive", *ids)
    assert [one["done"] for one in archived["results"]] == [False, False, True, True]
    assert batch(client, "unarchive", *ids)["done"] == 4
    folder = app.state.settings.run_folder(runs["failed"])
    folder.mkdir(parents=True)
    assert batch(client, "delete", runs["failed"], runs["running"])["done"] == 2
    assert not folder.exists()
    assert client.get("/api/v1/runs").json()["total"] == 2
    assert batch(client, "delete", runs["failed"])["refused"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"action": "resume", "run_ids": [1]},
        {"action": "delete", "run_ids": []},
        {"action": "delete", "run_ids": [0]},
        {"action": "delete", "run_ids": list(range(1, 1002))},
        {"action": "delete"},
        {"action": "delete", "run_ids": [1], "force": True},
    ],
)
def test_a_batch_that_makes_no_sense_is_refused_whole(
    client: TestClient, runs: dict[str, int], body: dict[str, Any]
) -> None:
    assert client.post("/api/v1/runs/batch", json=body).status_code == 422
    assert client.get("/api/v1/runs").json()["total"] == len(runs)
