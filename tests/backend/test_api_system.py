"""Workers, queue, health, metrics and the stream of changes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.models import Worker
from backend.models.base import now
from backend.runs import queue
from backend.runs.specification import RunSpecification
from backend.system.sweeper import Sweeper


@pytest.fixture
def run_id(client: TestClient, specification: RunSpecification) -> int:
    return client.post("/api/v1/runs", json=specification.model_dump(mode="json")).json()["id"]


def test_workers_are_alive_while_they_speak(app: FastAPI, client: TestClient) -> None:
    with app.state.database.writing() as session:
        session.add(Worker(name="a", host="h", devices=[{"name": "GPU", "memory_bytes": 1}]))
        session.add(Worker(name="b", host="h", devices=[], seen_at=now() - timedelta(minutes=5)))
    found = {worker["name"]: worker["alive"] for worker in client.get("/api/v1/workers").json()}
    assert found == {"a": True, "b": False}
    health = client.get("/api/v1/health").json()
    assert (health["status"], health["workers"]) == ("ok", 1)


def test_the_queue_is_in_claiming_order(
    client: TestClient, specification: RunSpecification, run_id: int
) -> None:
    urgent = {**specification.model_dump(mode="json"), "resources": {"priority": 3}}
    urgent_id = client.post("/api/v1/runs", json=urgent).json()["id"]
    assert [run["id"] for run in client.get("/api/v1/queue").json()] == [urgent_id, run_id]


def test_prometheus_counts_runs(client: TestClient, run_id: int) -> None:
    assert 'eigenscope_runs{status="queued"} 1' in client.get("/api/v1/metrics").text


def test_the_sweeper_requeues_and_rings(app: FastAPI, client: TestClient, run_id: int) -> None:
    database, broker, settings = app.state.database, app.state.broker, app.state.settings
    with database.writing() as session:
        queue.claim_next(session, "dead", -1)
    assert Sweeper(database, broker, settings).sweep() == [run_id]
    assert client.get(f"/api/v1/runs/{run_id}").json()["status"] == "queued"


def test_an_unexpected_failure_has_the_one_shape(app: FastAPI) -> None:
    def broken() -> None:
        raise RuntimeError("a secret detail")

    app.add_api_route("/api/v1/broken", broken)
    with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        answer = client.get("/api/v1/broken")
    assert answer.status_code == 500
    assert answer.json()["error"] == "internal"
    assert "secret" not in answer.text
