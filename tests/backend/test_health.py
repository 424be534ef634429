"""Health: 200 where the server can do its work, 503 with the failing parts where it cannot."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

from backend.app import create_app
from backend.database import Database
from backend.settings import Settings
from backend.system import readiness

HERE = "http://127.0.0.1:8000"
PARTS = {"database", "migration", "broker", "disk", "sweeper", "webhooks"}


def failing(client: TestClient) -> dict[str, Any]:
    answer = client.get("/api/v1/health")
    assert answer.status_code == 503, answer.text
    assert answer.json()["error"] == "unavailable"
    return dict(answer.json())


def test_a_server_that_can_work_says_so(client: TestClient) -> None:
    health = client.get("/api/v1/health")
    assert health.status_code == 200
    body = health.json()
    assert body["status"] == "ok"
    assert body["database"] in ("sqlite", "postgresql")
    assert body["workers"] == 0
    assert body["disk_free_bytes"] > 0
    assert set(body["checks"]) == PARTS


def test_another_migration_is_named(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        kept = session.scalar(text("SELECT version_num FROM alembic_version"))
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    body = failing(client)
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :kept"), {"kept": kept})
    assert body["failing"] == ["migration"]
    assert "is at 0001" in body["detail"]
    assert "eigenscope migrate" in body["detail"]


def test_a_database_that_is_away_is_named_without_its_address(
    settings: Settings, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(settings)
    with TestClient(app, base_url=HERE) as client, caplog.at_level(logging.WARNING):
        app.state.readiness._database = Database("postgresql://someone:hunter22@127.0.0.1:1/none")
        body = failing(client)
        assert client.get("/api/v1/health/live").json() == {"status": "ok"}
    assert body["failing"] == ["database", "migration"]
    assert "127.0.0.1" not in str(body)
    assert "not ready, database" in caplog.text


def test_a_broker_that_is_away_is_named(settings: Settings, database: Database) -> None:
    settings.home.mkdir()
    app = create_app(settings.model_copy(update={"broker_url": "redis://:hunter22@127.0.0.1:1/0"}))
    with TestClient(app, base_url=HERE) as client:
        body = failing(client)
    assert body["failing"] == ["broker"]
    assert "does not answer" in body["checks"]["broker"]
    assert "hunter22" not in str(body)


def test_a_full_disk_is_named(settings: Settings, database: Database) -> None:
    app = create_app(settings.model_copy(update={"disk_floor_gib": 1e9}))
    with TestClient(app, base_url=HERE) as client:
        assert failing(client)["failing"] == ["disk"]


def test_a_home_that_is_gone_is_named(settings: Settings, database: Database, tmp_path: Path) -> None:
    app = create_app(settings)
    with TestClient(app, base_url=HERE) as client:
        settings.home.rename(tmp_path / "elsewhere")
        body = failing(client)
        (tmp_path / "elsewhere").rename(settings.home)
    assert body["failing"] == ["disk"]
    assert "EIGENSCOPE_HOME" in body["detail"]


def test_a_sweeper_that_ended_or_hangs_is_named(app: FastAPI, client: TestClient) -> None:
    sweeper = app.state.readiness.sweeper
    sweeper._swept_at -= 3600
    assert failing(client)["failing"] == ["sweeper"]
    sweeper.sweep()
    assert client.get("/api/v1/health").status_code == 200
    sweeper.stop()
    assert "has ended" in failing(client)["checks"]["sweeper"]


def test_a_messenger_that_ended_is_named(app: FastAPI, client: TestClient) -> None:
    assert client.get("/api/v1/health").json()["checks"]["webhooks"] == "0 receivers"
    app.state.readiness.messenger.stop()
    assert "delivered no more" in failing(client)["checks"]["webhooks"]


def test_a_database_that_hangs_holds_nobody_up(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on = [], threading.Event()

    class Hanging:
        def connect(self) -> Any:
            asked.append(1)
            go_on.wait(60)
            return database.engine.connect()

    monkeypatch.setattr(readiness, "DATABASE_SECONDS", 0.2)
    app = create_app(settings)
    with TestClient(app, base_url=HERE) as client:
        calm = app.state.readiness._database
        app.state.readiness._database = SimpleNamespace(engine=Hanging())
        for _ in range(3):
            body = failing(client)
            assert body["failing"] == ["database", "migration"]
            assert body["checks"]["database"] == "has not answered within 0.2 s"
        assert len(asked) == 1, "those who ask meanwhile wait for the same answer"
        app.state.readiness._database = calm
        go_on.set()
        deadline = time.monotonic() + 10
        while client.get("/api/v1/health").status_code != 200:
            assert time.monotonic() < deadline


def test_a_server_that_never_began_to_work_is_not_ready(app: FastAPI) -> None:
    assert failing(TestClient(app, base_url=HERE))["failing"] == ["sweeper", "webhooks"]
    app.state.database.dispose()


def test_health_needs_no_token(settings: Settings, database: Database) -> None:
    app = create_app(settings.model_copy(update={"token": "s3cret"}))
    with TestClient(app, base_url=HERE) as client:
        assert client.get("/api/v1/health").status_code == 200
        assert client.get("/api/v1/health/live").status_code == 200
