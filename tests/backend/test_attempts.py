"""Wrong tokens may be tried a few times a minute; who has proven right is not locked out with the others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from backend.access import attempts, tokens
from backend.access.attempts import Attempts
from backend.app import create_app
from backend.database import Database
from backend.settings import Settings


class Clock:
    def __init__(self) -> None:
        self.moment = 1000.0

    def __call__(self) -> float:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counted(clock: Clock) -> Attempts:
    return Attempts(clock)


def test_an_address_waits_after_its_wrong_tokens_and_others_do_not(counted: Attempts, clock: Clock) -> None:
    for _ in range(attempts.PER_ADDRESS):
        assert counted.wait("a", "guess") == 0
        counted.failed("a")
        clock.moment += 1
    assert counted.wait("a", "guess") == 50
    assert counted.wait("b", "guess") == 0
    clock.moment += 50
    assert counted.wait("a", "guess") == 0


def test_many_addresses_together_wait_too(counted: Attempts) -> None:
    for k in range(attempts.IN_ALL):
        counted.failed(f"host {k}")
    assert counted.wait("another", "guess") == 60


def test_who_has_proven_right_goes_on(counted: Attempts, clock: Clock) -> None:
    counted.succeeded("right")
    for _ in range(attempts.IN_ALL):
        counted.failed("a")
    assert counted.wait("a", "guess") > 0
    assert counted.wait("a", "right") == 0
    clock.moment += attempts.PROVEN_SECONDS
    for _ in range(attempts.PER_ADDRESS):
        counted.failed("a")
    assert counted.wait("a", "right") > 0


def test_the_tables_do_not_grow(counted: Attempts) -> None:
    for k in range(3 * attempts.ADDRESSES):
        counted.failed(f"host {k}")
        counted.succeeded(f"digest {k}")
    assert len(counted._wrong) == attempts.ADDRESSES
    assert len(counted._proven) == attempts.PROVEN
    assert len(counted._all) == attempts.IN_ALL


@pytest.fixture
def guarded(settings: Settings, database: Database) -> Iterator[TestClient]:
    app = create_app(settings.model_copy(update={"token": "s3cret"}))
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        yield client


def ask(client: TestClient, token: str, **more: str) -> tuple[int, str]:
    answer = client.get("/api/v1/runs", headers={"Authorization": f"Bearer {token}", **more})
    return answer.status_code, answer.headers.get("retry-after", "")


def test_over_the_limit_the_answer_is_429_and_says_when(guarded: TestClient, database: Database) -> None:
    with database.writing() as session:
        at_work, fresh = tokens.create(session, "at work"), tokens.create(session, "fresh")
    assert ask(guarded, at_work) == (200, "")
    for k in range(attempts.PER_ADDRESS):
        assert ask(guarded, f"guess {k}")[0] == 401
    status, seconds = ask(guarded, "another guess")
    assert status == 429
    assert 0 < int(seconds) <= 60
    assert ask(guarded, fresh)[0] == 429, "over the limit a token is not looked at, right or wrong"
    assert ask(guarded, at_work)[0] == 200
    assert guarded.get("/api/v1/health").status_code == 200


def test_a_cookie_that_has_ended_counts_as_no_attempt(guarded: TestClient) -> None:
    for _ in range(2 * attempts.PER_ADDRESS):
        assert guarded.get("/api/v1/runs", headers={"Cookie": "eigenscope=session-0-x"}).status_code == 401


def test_a_forwarded_address_is_believed_of_trusted_proxies_only(
    settings: Settings, database: Database
) -> None:
    for trusted, last in (("", 429), ("testclient", 401)):
        app = create_app(settings.model_copy(update={"token": "s3cret", "trusted_proxies": trusted}))
        with TestClient(app, base_url="http://127.0.0.1:8000") as client:
            for k in range(attempts.PER_ADDRESS):
                assert ask(client, "guess", **{"X-Forwarded-For": f"192.0.2.{k}"})[0] == 401
            assert ask(client, "guess", **{"X-Forwarded-For": "192.0.2.99"})[0] == last
