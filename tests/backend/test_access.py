"""Who may ask: tokens, Host, and where a server asks for a token at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from backend.access import gate as gates
from backend.access import tokens
from backend.app import create_app
from backend.database import Database
from backend.settings import Settings

HERE = "http://127.0.0.1:8000"
RUNS = "/api/v1/runs"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def guarded(settings: Settings, database: Database) -> Iterator[TestClient]:
    with TestClient(create_app(settings.model_copy(update={"token": "s3cret"})), base_url=HERE) as client:
        yield client


@pytest.fixture
def make(database: Database) -> Callable[..., str]:
    def create(name: str, **more: Any) -> str:
        with database.writing() as session:
            return tokens.create(session, name, **more)

    return create


def test_without_a_token_nothing_is_answered(guarded: TestClient) -> None:
    wrong = (
        {},
        bearer("wrong"),
        bearer(""),
        {"Authorization": "Basic s3cret"},
        {"Cookie": "eigenscope=s3cret"},
    )
    for headers in wrong:
        answer = guarded.get(RUNS, headers=headers)
        assert answer.status_code == 401, headers
        assert set(answer.json()) == {"error", "detail"}
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    for address in ("/docs", "/openapi.json", "/api/v1/events", "/api/v1/metrics", "/static", "/sign-in/x"):
        assert guarded.get(address).status_code == 401, address


def test_the_settings_token_opens(guarded: TestClient) -> None:
    assert guarded.get(RUNS, headers=bearer("s3cret")).status_code == 200


def test_named_tokens_open_beside_it_until_they_are_revoked(
    guarded: TestClient, make: Callable[..., str], database: Database
) -> None:
    ann, ben = make("ann"), make("ben")
    assert [guarded.get(RUNS, headers=bearer(one)).status_code for one in (ann, ben)] == [200, 200]
    with database.writing() as session:
        tokens.revoke(session, "ann")
    assert [guarded.get(RUNS, headers=bearer(one)).status_code for one in (ann, ben)] == [401, 200]


def test_a_token_with_anothers_key_does_not_open(guarded: TestClient, make: Callable[..., str]) -> None:
    ann, ben = make("ann").split("-", 2), make("ben").split("-", 2)
    assert guarded.get(RUNS, headers=bearer("-".join([ann[0], ann[1], ben[2]]))).status_code == 401


def test_on_loopback_a_token_is_asked_for_once_there_is_one(
    client: TestClient, make: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "LOOKED_AT_SECONDS", 0.0)
    assert client.get(RUNS).status_code == 200
    token = make("ann")
    assert client.get(RUNS).status_code == 401
    assert client.get(RUNS, headers=bearer(token)).status_code == 200


def test_beyond_loopback_a_token_is_asked_for_even_where_there_is_none(
    settings: Settings, database: Database
) -> None:
    app = create_app(settings.model_copy(update={"host": "192.0.2.1"}))
    with TestClient(app, base_url="http://gpu.example:8000") as client:
        assert client.get(RUNS).status_code == 401


def test_a_database_that_does_not_answer_opens_nothing(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(*_: object) -> int:
        raise OperationalError("SELECT", {}, Exception("no answer"))

    monkeypatch.setattr(tokens, "count", dead)
    answer = client.get(RUNS)
    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")


def test_its_last_use_is_noted(guarded: TestClient, make: Callable[..., str], database: Database) -> None:
    token = make("ann")
    guarded.get(RUNS, headers=bearer(token))
    with database.reading() as session:
        assert tokens.listed(session)[0].used_at is not None


def test_health_needs_no_token(guarded: TestClient) -> None:
    assert guarded.get("/api/v1/health").status_code == 200
    assert guarded.get("/api/v1/healthy").status_code == 401


def test_a_browser_is_led_to_the_sign_in(guarded: TestClient) -> None:
    answer = guarded.get("/runs/3", headers={"Accept": "text/html"}, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/runs/3"


def test_a_foreign_host_is_refused(client: TestClient) -> None:
    answer = client.get(RUNS, headers={"Host": "evil.example:8000"})
    assert answer.status_code == 400
    assert "EIGENSCOPE_ALLOWED_HOSTS" in answer.json()["detail"]


def test_security_headers_are_on_every_answer(client: TestClient) -> None:
    for address in ("/api/v1/health", RUNS, "/api/v1/runs/999", "/openapi.json", "/nowhere"):
        headers = client.get(address).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; frame-ancestors 'none'")
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]


def test_a_refusal_has_them_too(client: TestClient) -> None:
    refused = client.get(RUNS, headers={"Host": "evil.example"})
    assert refused.headers["X-Frame-Options"] == "DENY"
    # Over HTTP under a name that is not this machine's, browsers would only complain of it.
    assert "Cross-Origin-Opener-Policy" not in refused.headers
