"""A run that starts from another's last weights waits until that one has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import event
from sqlalchemy.engine import Engine

from backend.database import Database
from backend.models import Checkpoint, Run, Worker
from backend.models.base import now
from backend.runs import queue
from backend.runs.specification import RunSpecification
from backend.system.sweeper import Sweeper


@pytest.fixture
def launch(client: TestClient, specification: RunSpecification) -> Callable[..., Any]:
    def launch(**init: Any) -> Any:
        body = specification.model_dump(mode="json") | ({"init": {"kind": "run", **init}} if init else {})
        return client.post("/api/v1/runs", json=body)

    return launch


@pytest.fixture
def chain(launch: Callable[..., Any]) -> tuple[int, int]:
    """Return a source and the run that waits for it."""
    source = launch().json()["id"]
    waiting = launch(run_id=source)
    assert waiting.status_code == 201, waiting.text
    return source, waiting.json()["id"]


def claim(database: Database) -> int | None:
    with database.writing() as session:
        return queue.claim_next(session, "w", 60)


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """Yield the statements that databases are sent."""
    found: list[str] = []

    def note(*args: Any) -> None:
        found.append(args[2])

    event.listen(Engine, "before_cursor_execute", note)
    yield found
    event.remove(Engine, "before_cursor_execute", note)


def finish(database: Database, run_id: int, status: str, error: str | None = None) -> None:
    with database.writing() as session:
        assert queue.finish(session, run_id, "w", status, error)


def sweep(app: FastAPI) -> list[int]:
    state = app.state
    return Sweeper(state.database, state.broker, state.settings).sweep()


def test_it_is_claimed_only_after_its_source_has_ended(database: Database, chain: tuple[int, int]) -> None:
    source, waiting = chain
    assert claim(database) == source
    assert claim(database) is None
    finish(database, source, "succeeded")
    assert claim(database) == waiting


def test_what_will_be_taken_is_told_before_the_source_has_any_weights(
    client: TestClient, chain: tuple[int, int], specification: RunSpecification
) -> None:
    body = specification.model_dump(mode="json") | {"init": {"kind": "run", "run_id": chain[0]}}
    report = client.post("/api/v1/runs/preview", json=body).json()["weights"]
    assert (report["missing_count"], report["left_over_count"]) == (0, 0)
    assert "waits until it has ended" in " ".join(report["notes"])
    wider = body | {"model": {**body["model"], "widths": {"layer4": 96}}}
    refusal = client.post("/api/v1/runs/preview", json=wider)
    assert refusal.status_code == 422
    assert "layer4" in refusal.json()["detail"]


@pytest.mark.parametrize("how", ["failed", "lost", "cancelled"])
def test_a_source_that_ends_badly_is_said_aloud(
    app: FastAPI, client: TestClient, database: Database, chain: tuple[int, int], how: str
) -> None:
    source, waiting = chain
    assert claim(database) == source
    with database.writing() as session:
        session.add(Checkpoint(run_id=source, iteration=50, file="early.pt", bytes=1))
    finish(database, source, how, "the disk is full")
    # Early weights are there, but they are not those that were waited for.
    assert claim(database) is None
    sweep(app)
    shown = client.get(f"/api/v1/runs/{waiting}").json()
    assert shown["status"] == "failed"
    assert f"run {source} " in shown["error"]
    assert how in shown["error"]
    assert "retry that one" in shown["error"]
    client.post(f"/api/v1/runs/{source}/retry")
    client.post(f"/api/v1/runs/{waiting}/retry")
    assert claim(database) == source
    assert claim(database) is None


def test_cancelling_a_queued_source_ends_the_wait(
    app: FastAPI, client: TestClient, chain: tuple[int, int]
) -> None:
    client.post(f"/api/v1/runs/{chain[0]}/cancel")
    sweep(app)
    assert client.get(f"/api/v1/runs/{chain[1]}").json()["status"] == "failed"


def test_an_iteration_that_is_kept_is_not_waited_for(
    database: Database, launch: Callable[..., Any], tmp_path: Any
) -> None:
    source = launch().json()["id"]
    assert claim(database) == source
    refusal = launch(run_id=source, iteration=50)
    assert refusal.status_code == 422
    assert "keeps none yet" in refusal.json()["detail"]


def test_whoever_launches_after_a_failure_is_told_what_is_missing(
    database: Database, launch: Callable[..., Any]
) -> None:
    source = launch().json()["id"]
    assert claim(database) == source
    finish(database, source, "failed")
    refusal = launch(run_id=source)
    assert refusal.status_code == 422
    assert "has no checkpoint" in refusal.json()["detail"]


def test_lists_say_what_is_waited_for_by_one_query_however_many_wait(
    client: TestClient,
    database: Database,
    chain: tuple[int, int],
    launch: Callable[..., Any],
    asked: list[str],
) -> None:
    def told() -> tuple[dict[int, int | None], int]:
        asked.clear()
        items = client.get("/api/v1/runs").json()["items"]
        return {item["id"]: item["waits_for"] for item in items}, len(asked)

    source, waiting = chain
    found, queries = told()
    assert found == {source: None, waiting: source}
    more = [launch(run_id=waiting).json()["id"] for _ in range(5)]
    found, later = told()
    assert found == {source: None, waiting: source} | dict.fromkeys(more, waiting)
    assert later == queries
    assert client.get("/api/v1/queue").json()[1]["waits_for"] == source
    assert claim(database) == source
    assert told()[0][waiting] == source
    finish(database, source, "succeeded")
    assert told()[0][waiting] is None


def test_nobody_rings_for_a_run_that_waits(app: FastAPI, database: Database, chain: tuple[int, int]) -> None:
    assert claim(database) == chain[0]
    with database.writing() as session:
        session.add(Worker(name="idle", host="h", devices=[]))
        session.get_one(Run, chain[1]).queued_at = now() - timedelta(hours=1)
    assert sweep(app) == []
    finish(database, chain[0], "succeeded")
    assert sweep(app) == [chain[1]]
