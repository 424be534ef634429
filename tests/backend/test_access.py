"""Who may ask: token, Host, Origin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from backend.app import create_app
from backend.database import Database
from backend.http.access import COOKIE, cookie_value
from backend.settings import Settings

HERE = "http://127.0.0.1:8000"


@pytest.fixture
def guarded(settings: Settings, database: Database) -> Iterator[TestClient]:
    with TestClient(create_app(settings.model_copy(update={"token": "s3cret"})), base_url=HERE) as client:
        yield client


def test_without_the_token_nothing_is_answered(guarded: TestClient) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": f"{COOKIE}=wrong"}):
        answer = guarded.get("/api/v1/runs", headers=headers)
        assert answer.status_code == 401
        assert set(answer.json()) == {"error", "detail"}


def test_the_token_or_its_cookie_opens(guarded: TestClient) -> None:
    assert guarded.get("/api/v1/runs", headers={"Authorization": "Bearer s3cret"}).status_code == 200
    cookie = {"Cookie": f"{COOKIE}={cookie_value('s3cret')}"}
    assert guarded.get("/api/v1/runs", headers=cookie).status_code == 200


def test_health_needs_no_token(guarded: TestClient) -> None:
    assert guarded.get("/api/v1/health").status_code == 200


def test_a_browser_is_led_to_the_sign_in(guarded: TestClient) -> None:
    answer = guarded.get("/runs/3", headers={"Accept": "text/html"}, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/runs/3"


def test_a_foreign_host_is_refused(client: TestClient) -> None:
    answer = client.get("/api/v1/runs", headers={"Host": "evil.example:8000"})
    assert answer.status_code == 400
    assert "EIGENSCOPE_ALLOWED_HOSTS" in answer.json()["detail"]


def test_a_foreign_page_changes_nothing(client: TestClient) -> None:
    assert client.post("/api/v1/runs/1/cancel", headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.post("/api/v1/runs/1/cancel", headers={"Origin": HERE}).status_code == 404


def test_security_headers_are_on_every_answer(client: TestClient) -> None:
    answer = client.get("/api/v1/health")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
