"""A run's log over HTTP: its pages, levels, search and the whole of it; and when its worker was last heard of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.models import Checkpoint, Run
from backend.models.base import now
from backend.runs import logs
from backend.runs.repository import append_log
from backend.runs.specification import RunSpecification

STAMP = "2026-11-24 13:50:57,249"
LINES = [
    f"{STAMP} INFO iteration 1 of 9: loss 1.5",
    f"{STAMP} WARNING the rate is 100 % of what_fits",
    f"{STAMP} ERROR Ärger at iteration 2",
    "Traceback (most recent call last):",
    '  File "x.py", line 1, in INFO or WARNING',
    f"{STAMP} INFO Iteration 3 of 9: loss 1.2",
]


@pytest.fixture
def run_id(client: TestClient, specification: RunSpecification) -> int:
    return client.post("/api/v1/runs", json=specification.model_dump(mode="json")).json()["id"]


@pytest.fixture
def logged(app: FastAPI, run_id: int) -> str:
    """Return the address of a run's log of a few lines."""
    with app.state.database.writing() as session:
        append_log(session, run_id, LINES)
    return f"/api/v1/runs/{run_id}/logs"


def numbers(client: TestClient, address: str, **query: str | int) -> list[int]:
    return [line["number"] for line in client.get(address, params=query).json()["lines"]]


def test_lines_before_a_line_come_in_order_with_how_many_there_are(client: TestClient, logged: str) -> None:
    assert numbers(client, logged, before=5, limit=2) == [3, 4]
    assert numbers(client, logged, before=1) == []
    assert client.get(logged, params={"last": 1}).json()["total"] == 6


@pytest.mark.parametrize(
    ("level", "shown"), [("all", [1, 2, 3, 4, 5, 6]), ("warning", [2, 3, 4, 5]), ("error", [3, 4, 5])]
)
def test_a_level_leaves_out_what_is_less_and_never_a_traceback(
    client: TestClient, logged: str, level: str, shown: list[int]
) -> None:
    assert numbers(client, logged, level=level) == shown
    assert numbers(client, logged, level=level, last=2) == shown[-2:]
    assert client.get(logged, params={"level": "loud"}).status_code == 422


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ITERATION", [1, 3, 6]),
        ("100 %", [2]),
        ("%", [2]),
        ("what_fits", [2]),
        ("what.fits", []),
        ("_", [2]),
        ("Ärger", [3]),
        ("(most", [4]),
        ("nowhere", []),
    ],
)
def test_a_search_reads_letter_by_letter_through_the_whole_log(
    client: TestClient, logged: str, text: str, found: list[int]
) -> None:
    answer = client.get(f"{logged}/search", params={"text": text})
    assert answer.json() == {"count": len(found), "numbers": found}


def test_a_search_keeps_to_a_level_and_to_what_is_new(client: TestClient, logged: str) -> None:
    kept = client.get(f"{logged}/search", params={"text": "iteration", "level": "error"}).json()
    assert kept["numbers"] == [3]
    new = client.get(f"{logged}/search", params={"text": "iteration", "after": 3}).json()
    assert new["numbers"] == [6]


def test_of_very_many_hits_the_newest_are_listed(
    client: TestClient, logged: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "HITS_AT_MOST", 2)
    assert client.get(f"{logged}/search", params={"text": "i"}).json() == {"count": 5, "numbers": [5, 6]}


@pytest.mark.parametrize("text", ["", "x" * 201, "a\0b"])
def test_a_search_refuses_what_it_cannot_look_for(client: TestClient, logged: str, text: str) -> None:
    assert client.get(f"{logged}/search", params={"text": text}).status_code == 422


def test_the_whole_log_is_a_file_of_its_lines(
    client: TestClient, logged: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "CHUNK", 2)
    answer = client.get(f"{logged}/text")
    assert answer.text == "".join(f"{line}\n" for line in LINES)
    assert answer.headers["content-disposition"].startswith('attachment; filename="run-')
    assert client.get("/api/v1/runs/777/logs/text").status_code == 404
    assert client.get("/api/v1/runs/777/logs/search?text=x").status_code == 404


def test_a_heartbeat_tells_the_age_of_the_lease_while_the_run_runs(
    app: FastAPI, client: TestClient, run_id: int
) -> None:
    address = f"/api/v1/runs/{run_id}/heartbeat"
    assert client.get(address).json() is None
    with app.state.database.writing() as session:
        run = session.get_one(Run, run_id)
        run.status, run.lease_expires_at = "running", now() + timedelta(seconds=20)
    answer = client.get(address).json()
    assert answer["age_seconds"] == pytest.approx(40, abs=5)
    assert (answer["stale_seconds"], answer["lost_seconds"]) == (20, 60)


def test_a_recorded_run_was_heard_of_when_it_last_wrote(client: TestClient, recorded: Any) -> None:
    answer = client.get(f"{recorded.url}/heartbeat").json()
    assert answer["age_seconds"] < 30
    assert (answer["stale_seconds"], answer["lost_seconds"]) == (1800, 3600)


def test_a_checkpoint_is_taken_by_its_iteration_and_never_from_elsewhere(
    app: FastAPI, client: TestClient, run_id: int
) -> None:
    home = app.state.settings.home
    (home / "runs" / str(run_id)).mkdir(parents=True)
    (home / "secret.pt").write_bytes(b"secret")
    (home / "runs" / str(run_id) / "one.pt").write_bytes(b"weights")
    with app.state.database.writing() as session:
        for iteration, file in ((1, f"runs/{run_id}/one.pt"), (2, f"runs/{run_id}/../../secret.pt")):
            session.add(Checkpoint(run_id=run_id, iteration=iteration, file=file, bytes=7))
    address = f"/api/v1/runs/{run_id}/checkpoints"
    answer = client.get(f"{address}/1/file")
    assert answer.content == b"weights"
    assert f"run-{run_id}-iteration-1.pt" in answer.headers["content-disposition"]
    assert client.get(f"{address}/2/file").status_code == 404
    assert "it keeps: 1, 2" in client.get(f"{address}/3/file").json()["detail"]
