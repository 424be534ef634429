"""Signing in and out: the cookie is no token, scripts cannot read it, and it ends where it should."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text, update

from backend.access import attempts, tokens
from backend.database import Database
from backend.models import BrowserSession
from backend.models.base import now
from backend.settings import Settings
from eigenscope.server import build_app

SECRET = "the secret"
BROWSER = {"Accept": "text/html"}


@pytest.fixture
def settings(settings_of_an_empty_database: Settings) -> Settings:
    return settings_of_an_empty_database.model_copy(update={"token": SECRET})


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    opened = Database(settings.database)
    yield opened
    opened.dispose()


@pytest.fixture
def fresh(settings: Settings) -> Iterator[TestClient]:
    with TestClient(build_app(settings), base_url="http://127.0.0.1", headers=BROWSER) as client:
        yield client


def sign_in(client: TestClient, token: str = SECRET, following: str = "/system") -> None:
    answer = client.post("/sign-in", data={"token": token, "next": following})
    assert answer.url.path == following, answer.text


def test_only_a_token_signs_in(fresh: TestClient) -> None:
    assert fresh.get("/").url.path == "/sign-in"
    for wrong, words in (("a guess", "none of this server"), ("", "Type a token"), (" ", "Type a token")):
        answer = fresh.post("/sign-in", data={"token": wrong, "next": "/system"})
        assert answer.status_code == 401
        assert words in answer.text
        assert "set-cookie" not in answer.headers
    sign_in(fresh, f" {SECRET} ")
    assert fresh.get("/").url.path == "/"


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "/\\evil.example", "http://evil.example", "/\t/evil.example", "javascript:x", ""],
)
def test_the_way_back_leads_to_this_server(fresh: TestClient, target: str) -> None:
    answer = fresh.post("/sign-in", data={"token": SECRET, "next": target}, follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_a_deep_link_is_found_again(fresh: TestClient) -> None:
    asked = fresh.get("/compare?runs=1,2&i=5", follow_redirects=False)
    assert asked.headers["location"] == "/sign-in?next=/compare%3Fruns%3D1%2C2%26i%3D5"
    assert 'value="/compare?runs=1,2&amp;i=5"' in fresh.get(asked.headers["location"]).text


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_cookie_is_for_this_server_alone(settings: Settings, scheme: str) -> None:
    with TestClient(build_app(settings), base_url=f"{scheme}://127.0.0.1", headers=BROWSER) as client:
        answer = client.post("/sign-in", data={"token": SECRET}, follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "domain=" not in cookie
    assert ("secure" in cookie) == (scheme == "https")


@pytest.mark.parametrize(("trusted", "secure"), [("", False), ("testclient", True)])
def test_behind_a_trusted_proxy_with_tls_it_is_secure(settings: Settings, trusted: str, secure: bool) -> None:
    app = build_app(settings.model_copy(update={"trusted_proxies": trusted}))
    headers = {**BROWSER, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    with TestClient(app, base_url="http://127.0.0.1", headers=headers) as client:
        answer = client.post("/sign-in", data={"token": SECRET}, follow_redirects=False)
    assert ("secure" in answer.headers["set-cookie"].lower()) == secure


def test_the_cookie_tells_nothing_of_the_token_nor_the_database_of_the_cookie(
    fresh: TestClient, settings: Settings, database: Database
) -> None:
    sign_in(fresh)
    first = fresh.cookies["eigenscope"]
    sign_in(fresh)
    assert first != fresh.cookies["eigenscope"], "every sign-in has a number of its own"
    with database.reading() as session:
        stored = str(session.execute(text("SELECT * FROM browser_sessions")).all())
    assert first.split("-", 2)[2] not in stored
    assert SECRET not in stored
    assert SECRET.encode() not in Path(settings.database.removeprefix("sqlite:///")).read_bytes()


def test_signing_out_ends_the_session_on_the_server(fresh: TestClient) -> None:
    sign_in(fresh)
    kept = fresh.cookies["eigenscope"]
    assert "Sign out" in fresh.get("/").text
    assert fresh.post("/sign-out").url.path == "/sign-in"
    assert "eigenscope" not in fresh.cookies
    fresh.cookies.set("eigenscope", kept)
    assert fresh.get("/").url.path == "/sign-in"


def test_a_revoked_token_signs_its_browsers_out(fresh: TestClient, database: Database) -> None:
    with database.writing() as session:
        token = tokens.create(session, "ann")
    sign_in(fresh, token)
    with database.writing() as session:
        tokens.revoke(session, "ann")
    assert fresh.get("/").url.path == "/sign-in"


def test_another_settings_token_signs_out(fresh: TestClient, settings: Settings) -> None:
    sign_in(fresh)
    for token in ("another", ""):
        app = build_app(settings.model_copy(update={"token": token, "host": "192.0.2.1"}))
        with TestClient(app, base_url="http://127.0.0.1", headers=BROWSER, cookies=fresh.cookies) as later:
            assert later.get("/").url.path == "/sign-in"


def test_a_session_ends_by_itself(fresh: TestClient, database: Database) -> None:
    sign_in(fresh)
    with database.writing() as session:
        session.execute(update(BrowserSession).values(expires_at=now() - timedelta(seconds=1)))
    assert fresh.get("/").url.path == "/sign-in"


def test_a_form_elsewhere_signs_nobody_in_or_out(fresh: TestClient) -> None:
    sign_in(fresh)
    elsewhere = {"Origin": "http://evil.example"}
    assert fresh.post("/sign-in", data={"token": SECRET}, headers=elsewhere).status_code == 403
    assert fresh.post("/sign-out", headers=elsewhere).status_code == 403
    assert fresh.get("/").url.path == "/"


def test_after_many_wrong_tokens_the_form_says_when_to_try_again(fresh: TestClient) -> None:
    for _ in range(attempts.PER_ADDRESS):
        fresh.post("/sign-in", data={"token": "a guess"})
    answer = fresh.post("/sign-in", data={"token": SECRET})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert "Try again in" in answer.text


def test_a_reader_is_told_so_on_every_page(fresh: TestClient, database: Database) -> None:
    with database.writing() as session:
        token = tokens.create(session, "guest", read_only=True)
    sign_in(fresh, token)
    for address in ("/", "/new", "/system", "/runs/999"):
        text = fresh.get(address).text
        assert "“guest” only reads" in text
        assert "/joined/page+reads-only" in text
    refused = fresh.post("/api/v1/runs", json={})
    assert refused.status_code == 403
