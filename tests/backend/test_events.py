"""The stream of events belongs to who may still ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.access import tokens
from backend.app import create_app
from backend.database import Database
from backend.settings import Settings
from backend.system import changes, events

WITHIN = 15.0
"""Seconds in which a stream must have ended."""


@pytest.fixture
def app(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    monkeypatch.setattr(changes, "PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(events, "ASKED_AGAIN_SECONDS", 0.1)
    return create_app(settings.model_copy(update={"token": "s3cret"}))


@pytest.fixture
def guarded(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        yield client
        app.state.stopping.set()


def listening(client: TestClient, token: str) -> tuple[threading.Thread, list[Any]]:
    """Hear a stream to its end, in a thread."""
    heard: list[Any] = []

    def listen() -> None:
        heard.append(client.get("/api/v1/events", headers={"Authorization": f"Bearer {token}"}))

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    return thread, heard


def test_a_stream_ends_when_its_token_is_revoked(
    app: FastAPI, guarded: TestClient, database: Database
) -> None:
    with database.writing() as session:
        of_ann, of_bob = (tokens.create(session, name) for name in ("ann", "bob"))
    streams = [listening(guarded, token) for token in (of_ann, of_bob, "s3cret")]
    time.sleep(1)
    assert all(thread.is_alive() for thread, _ in streams)
    with database.writing() as session:
        tokens.revoke(session, "ann")
    streams[0][0].join(WITHIN)
    assert [thread.is_alive() for thread, _ in streams] == [False, True, True]
    (answer,) = streams[0][1]
    assert answer.status_code == 200
    assert answer.text.startswith("event: hello")
    app.state.stopping.set()
    for thread, _ in streams:
        thread.join(WITHIN)
        assert not thread.is_alive()
