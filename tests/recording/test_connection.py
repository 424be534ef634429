"""Over HTTP: patient with a server that is away or busy, clear about one that refuses, and no token goes astray."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from backend.errors import Conflict, EigenscopeError, InvalidInput, Unauthorized, Unavailable
from eigenscope import ServerRecorder
from eigenscope.recording import connection
from eigenscope.recording import recorder as recorder_module
from eigenscope.recording.connection import JSON, Connection
from tests.stub_server import Answer, Stub


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return what was waited for, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr(connection, "sleep", waited.append)
    return waited


def refusal(status: int, kind: str, detail: str) -> Answer:
    return status, {"error": kind, "detail": detail}, {}


GOOD: Answer = (200, {"id": 7}, {})
BUSY = refusal(503, "unavailable", "the database does not answer")


def put(stub: Stub, token: str | None = None) -> bytes:
    return Connection(stub.url, token).ask("PUT", "/runs/7/metrics", b"[]", JSON, repeatable=True)


@pytest.mark.parametrize("trouble", [BUSY, None], ids=["busy", "cut off"])
def test_what_may_be_repeated_is(stub: Stub, waits: list[float], trouble: Answer | None) -> None:
    stub.answers = [trouble, trouble, GOOD]
    assert json.loads(put(stub)) == {"id": 7}
    assert len(stub.asked) == 3
    assert waits == [0.5, 1.0]


def test_a_server_that_stays_away_is_one_sentence_in_the_end(waits: list[float]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(Unavailable, match=f"no Eigenscope server answers at {url}: Connection refused"):
        Connection(url, None).ask("PUT", "/runs/7/metrics", b"[]", JSON, repeatable=True)
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0]


def test_a_busy_server_is_told_from_one_that_is_away(stub: Stub) -> None:
    stub.answers = [BUSY]
    with pytest.raises(Unavailable, match="answered 503: the database does not answer"):
        put(stub)
    assert len(stub.asked) == 6


def test_a_run_is_not_created_twice(stub: Stub, layers: Sequence[Any], about: dict[str, Any]) -> None:
    stub.answers = [None, GOOD]
    with ServerRecorder(stub.url, **about) as recorder, pytest.raises(Unavailable):
        recorder.layers(layers)
    assert [(method, path) for method, path, _ in stub.asked] == [("POST", "/api/v1/recordings")]


@pytest.mark.parametrize(
    ("answer", "error", "sentence"),
    [
        (refusal(401, "unauthorized", "…"), Unauthorized, "wants its token, or another one; give token="),
        (refusal(409, "conflict", "run 7 has ended"), Conflict, "answered 409: run 7 has ended"),
        (refusal(422, "invalid_input", "it is wrong"), InvalidInput, "answered 422: it is wrong"),
        (refusal(413, "too_large", "the body is larger"), InvalidInput, "answered 413: the body is larger"),
        (refusal(400, "invalid_host", "not that host"), InvalidInput, "answered 400: not that host"),
        (refusal(500, "internal", "unforeseen"), EigenscopeError, "answered 500: unforeseen"),
        ((405, {}, {}), InvalidInput, "is no Eigenscope that can record"),
        ((404, {"detail": "no such page"}, {}), InvalidInput, "is no Eigenscope that can record"),
        ((418, {}, {}), EigenscopeError, "answered 418: I'm a Teapot"),
    ],
)
def test_a_refusal_is_final_and_clear(
    stub: Stub, answer: Answer, error: type[EigenscopeError], sentence: str
) -> None:
    stub.answers = [answer]
    with pytest.raises(error, match=sentence):
        put(stub)
    assert len(stub.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_does_not_lead_the_token_astray(stub: Stub, status: int) -> None:
    stub.answers = [(status, {}, {"Location": f"{stub.url}/elsewhere"}), GOOD]
    with pytest.raises(EigenscopeError, match=f"answered {status}: it leads to another address"):
        Connection(stub.url, "secret").ask("POST", "/runs/7/finish", b"{}", JSON, repeatable=True)
    assert len(stub.asked) == 1


def test_the_token_is_sent_as_a_header(stub: Stub) -> None:
    stub.answers = [GOOD]
    put(stub, " secret ")
    put(stub)
    assert [headers.get("Authorization") for _, _, headers in stub.asked] == ["Bearer secret", None]


def test_a_server_may_lie_below_a_path(stub: Stub) -> None:
    stub.answers = [GOOD]
    Connection(f"{stub.url}/lab/", None).ask("PUT", "/runs/7/metrics", b"[]", JSON, repeatable=True)
    assert stub.asked[0][1] == "/lab/api/v1/runs/7/metrics"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8000",
        "ftp://host",
        "file:///etc/passwd",
        "http://",
        "http://a:b@host",
        "http://host/?x",
        "http://h:x",
    ],
)
def test_only_a_plain_address_is_taken(url: str) -> None:
    with pytest.raises(InvalidInput, match="the server's URL must be http://HOST:PORT"):
        Connection(url, None)


@pytest.mark.parametrize("token", ["", " ", "two\nlines", "schlüssel"])
def test_a_token_that_no_header_can_carry_is_refused(token: str) -> None:
    with pytest.raises(InvalidInput, match="the token is empty or holds characters"):
        Connection("http://host", token)


@pytest.mark.parametrize("given", [None, "wrong"])
def test_a_real_server_asks_for_its_token(
    server: str, layers: Sequence[Any], about: dict[str, Any], given: str | None
) -> None:
    with (
        ServerRecorder(server, token=given, **about) as recorder,
        pytest.raises(Unauthorized, match="give token="),
    ):
        recorder.layers(layers)


def test_a_host_that_does_not_exist_is_one_sentence(layers: Sequence[Any], about: dict[str, Any]) -> None:
    for host in ("no-such-host.invalid", "x" * 70 + ".invalid"):
        with (
            ServerRecorder(f"http://{host}:8000", **about) as recorder,
            pytest.raises(Unavailable, match="no Eigenscope server answers at"),
        ):
            recorder.layers(layers)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (1000, ["recordings", "metrics", "spectra", "finish"]),
        (0, ["recordings", *9 * ["metrics"], "spectra", "finish"]),
    ],
)
def test_scalars_wait_for_each_other_but_not_for_long(
    stub: Stub,
    layers: Sequence[Any],
    about: dict[str, Any],
    measure: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    expected: list[str],
) -> None:
    monkeypatch.setattr(recorder_module, "FLUSH_SECONDS", seconds)
    stub.answers = [GOOD]
    with ServerRecorder(stub.url, **about) as recorder:
        recorder.layers(layers)
        for iteration in range(9):
            recorder.metrics(iteration, {"loss": 1.0})
        recorder.spectra(9, measure(9))
    assert [path.rpartition("/")[2] for _, path, _ in stub.asked] == expected
