"""How a recorded run ends, is cancelled, lost and found again; and that no worker ever touches it."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.models import Run, Worker
from backend.models.base import now
from backend.runs import queue
from backend.runs.specification import RunSpecification
from backend.system.sweeper import Sweeper

POINT = {"iteration": 1, "values": {"loss": 1.0}}


def change(app: FastAPI, run_id: int, **values: Any) -> None:
    with app.state.database.writing() as session:
        queue.change(session, Run.id == run_id, **values)


def sweep(app: FastAPI) -> list[int]:
    return Sweeper(app.state.database, app.state.broker, app.state.settings).sweep()


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_a_recording_ends_once(client: TestClient, recorded: Any, status: str) -> None:
    body = {"status": status, "error": "ValueError: no" if status == "failed" else None}
    # The second time stands for an answer that was lost on its way.
    for _ in range(2):
        ended = client.post(f"{recorded.url}/finish", json=body)
        assert ended.status_code == 200
        assert (ended.json()["status"], ended.json()["phase"]) == (status, "")
        assert ended.json()["error"] == body["error"]
        assert ended.json()["finished_at"] is not None
        assert ended.json()["actions"] == ["delete"]
    other = "failed" if status == "succeeded" else "succeeded"
    answer = client.post(f"{recorded.url}/finish", json={"status": other})
    assert answer.status_code == 409
    assert f"has ended already: it is {status}" in answer.json()["detail"]
    assert recorded.measure(0).status_code == 409
    assert client.put(f"{recorded.url}/metrics", json=POINT).status_code == 409
    assert client.post(f"{recorded.url}/finish", json={"status": "lost"}).status_code == 422


def test_cancel_is_told_at_the_next_write_which_is_not_stored(client: TestClient, recorded: Any) -> None:
    recorded.measure(0)
    asked = client.post(f"{recorded.url}/cancel").json()
    assert (asked["status"], asked["actions"]) == ("running", ["delete"])
    for answer in (recorded.measure(1), client.put(f"{recorded.url}/metrics", json=POINT)):
        assert answer.status_code == 409
        assert answer.json()["error"] == "recording_stopped"
        assert "was cancelled; end the training" in answer.json()["detail"]
    assert recorded.iterations() == [0]
    ended = client.post(f"{recorded.url}/finish", json={"status": "cancelled"})
    assert ended.json()["status"] == "cancelled"
    assert recorded.measure(1).json()["error"] == "recording_stopped"


def test_a_deleted_recording_answers_404(client: TestClient, recorded: Any) -> None:
    recorded.measure(0)
    assert client.delete(recorded.url).status_code == 204
    finished = client.post(f"{recorded.url}/finish", json={"status": "succeeded"})
    for answer in (recorded.measure(1), finished):
        assert answer.status_code == 404
        assert answer.json()["error"] == "not_found"


def test_no_worker_can_take_it_up(app: FastAPI, client: TestClient, recorded: Any) -> None:
    for status, action in product(("failed", "lost"), ("resume", "retry")):
        change(app, recorded.id, status=status)
        answer = client.post(f"{recorded.url}/{action}")
        assert answer.status_code == 409
        assert f"somebody's own training, which no worker can {action}" in answer.json()["detail"]
    assert len(client.get(f"{recorded.url}/layers").json()) == len(recorded.body["layers"])


def test_a_silent_recording_is_lost_never_queued_and_the_next_write_brings_it_back(
    app: FastAPI, recorded: Any
) -> None:
    recorded.measure(0)
    assert sweep(app) == []
    assert recorded.shown()["status"] == "running"
    change(app, recorded.id, lease_expires_at=now() - timedelta(seconds=1))
    with app.state.database.writing() as session:
        session.add(Worker(name="idle", host="h", devices=[]))
    assert sweep(app) == []
    lost = recorded.shown()
    assert (lost["status"], lost["actions"]) == ("lost", ["delete"])
    assert "its next write brings the run back" in lost["error"]
    assert recorded.measure(5).status_code == 204
    back = recorded.shown()
    assert (back["status"], back["error"], back["finished_at"]) == ("running", None, None)
    assert recorded.iterations() == [0, 5]
    assert sweep(app) == []
    assert recorded.shown()["status"] == "running"


def test_every_write_prolongs_the_lease_by_an_hour(app: FastAPI, client: TestClient, recorded: Any) -> None:
    for write in (lambda: recorded.measure(0), lambda: client.put(f"{recorded.url}/metrics", json=POINT)):
        change(app, recorded.id, lease_expires_at=now() + timedelta(minutes=1))
        assert write().status_code == 204
        with app.state.database.reading() as session:
            left = session.get_one(Run, recorded.id).lease_expires_at - now()
        assert timedelta(minutes=59) < left <= timedelta(hours=1)


def test_a_lost_recording_may_still_say_how_it_ended(app: FastAPI, client: TestClient, recorded: Any) -> None:
    change(app, recorded.id, status="lost", error="silent")
    ended = client.post(f"{recorded.url}/finish", json={"status": "succeeded"}).json()
    assert (ended["status"], ended["error"]) == ("succeeded", None)


def test_a_silent_recording_that_was_cancelled_ends_cancelled(
    app: FastAPI, client: TestClient, recorded: Any
) -> None:
    client.post(f"{recorded.url}/cancel")
    change(app, recorded.id, lease_expires_at=now() - timedelta(seconds=1))
    assert sweep(app) == []
    assert recorded.shown()["status"] == "cancelled"


def test_a_recorded_run_is_never_claimed_whatever_its_status(app: FastAPI, recorded: Any) -> None:
    change(app, recorded.id, status="queued")
    with app.state.database.writing() as session:
        assert queue.claim_next(session, "worker", 60) is None


def test_every_write_raises_the_revision(app: FastAPI, recorded: Any) -> None:
    def revision() -> int:
        with app.state.database.reading() as session:
            return int(session.get_one(Run, recorded.id).revision)

    before = revision()
    recorded.measure(0)
    assert revision() == before + 1


def test_a_launched_run_takes_no_records(
    client: TestClient, recorded: Any, specification: RunSpecification
) -> None:
    run_id = client.post("/api/v1/runs", json=specification.model_dump(mode="json")).json()["id"]
    url = f"/api/v1/runs/{run_id}"
    for answer in (
        recorded.put(recorded.snapshot(0), url),
        client.put(f"{url}/metrics", json=POINT),
        client.post(f"{url}/finish", json={"status": "succeeded"}),
    ):
        assert answer.status_code == 409
        assert f"run {run_id} is trained by a worker" in answer.json()["detail"]


def test_a_recorded_run_cannot_give_weights(
    client: TestClient, recorded: Any, specification: RunSpecification
) -> None:
    body = specification.model_dump(mode="json")
    body["init"] = {"kind": "run", "run_id": recorded.id}
    answer = client.post("/api/v1/runs", json=body)
    assert answer.status_code == 422
    assert "has no checkpoint" in answer.json()["detail"]
