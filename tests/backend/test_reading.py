"""A token that only reads sees everything and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.access import tokens
from backend.app import create_app
from backend.database import Database
from backend.settings import Settings

ALLOWED = {("POST", "/api/v1/runs/preview"), ("POST", "/api/v1/width-plans/curve")}
PREVIEW = "/api/v1/width-plans?preview=true"


@pytest.fixture
def app(settings: Settings, database: Database) -> FastAPI:
    return create_app(settings)


@pytest.fixture
def reader(app: FastAPI, database: Database) -> Iterator[TestClient]:
    with database.writing() as session:
        token = tokens.create(session, "guest", read_only=True)
    headers = {"Authorization": f"Bearer {token}"}
    with TestClient(app, base_url="http://127.0.0.1:8000", headers=headers) as client:
        yield client


def changing(app: FastAPI) -> set[tuple[str, str]]:
    """Return (method, address) of every call that is no GET."""
    described = app.openapi()["paths"]
    return {(method.upper(), path) for path, methods in described.items() for method in methods} - {
        ("GET", path) for path in described
    }


def test_every_call_that_may_change_something_is_refused(app: FastAPI, reader: TestClient) -> None:
    calls = changing(app)
    assert len(calls) > 12
    assert calls > ALLOWED
    for method, path in calls - ALLOWED:
        answer = reader.request(
            method, path.replace("{run_id}", "1").replace("{", "").replace("}", ""), json={}
        )
        assert (answer.status_code, answer.json()["error"]) == (403, "forbidden"), (method, path)
        assert "'guest' only reads" in answer.json()["detail"]


def test_what_only_computes_is_answered(reader: TestClient) -> None:
    for address in (*(path for _, path in ALLOWED), PREVIEW):
        assert reader.post(address, json={}).status_code == 422, (
            "the empty body is looked at, the token is not in the way"
        )


@pytest.mark.parametrize(
    "query", ["", "?preview=false", "?preview=true&preview=false", "?preview=1", "?preview=", "?Preview=true"]
)
def test_a_plan_is_previewed_only(reader: TestClient, query: str) -> None:
    assert reader.post(f"/api/v1/width-plans{query}", json={}).status_code == 403


def test_all_reads_are_answered(reader: TestClient) -> None:
    for address in ("runs", "datasets", "workers", "queue", "metrics", "runs/1/cancel"):
        assert reader.get(f"/api/v1/{address}").status_code in (200, 405)
