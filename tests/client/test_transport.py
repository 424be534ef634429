"""Over HTTP: patient where nothing can happen twice, clear about what went wrong, and no token goes astray."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from backend.errors import EigenscopeError, InvalidInput, NotFound, Unauthorized, Unavailable
from eigenscope import Client
from eigenscope.client import transport
from tests.stub_server import Stub

RUNS = (200, {"items": [], "next_cursor": None})
BUSY = (503, {"error": "unavailable", "detail": "the database does not answer; see the server's log"})


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return what was waited for, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr(transport, "sleep", waited.append)
    return waited


@pytest.mark.parametrize("trouble", [BUSY, None], ids=["busy", "cut off"])
def test_what_is_only_read_is_asked_for_again(stub: Stub, waits: list[float], trouble: Any) -> None:
    stub.answers = [trouble, trouble, RUNS]
    with Client(stub.url) as client:
        assert client.runs() == ()
    assert len(stub.asked) == 3
    assert waits == [0.25, 0.5]


@pytest.mark.parametrize("trouble", [BUSY, None], ids=["busy", "cut off"])
def test_a_launch_that_may_have_arrived_is_not_sent_again(stub: Stub, trouble: Any) -> None:
    stub.answers = [trouble]
    with Client(stub.url) as client, pytest.raises(Unavailable):
        client.launch({"dataset_id": 1})
    assert len(stub.asked) == 1


def test_a_server_that_is_away_is_one_sentence_in_the_end(waits: list[float]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with Client(url) as client:
        with pytest.raises(Unavailable, match=f"no Eigenscope server answers at {url}: .*refused"):
            client.runs()
        assert waits == [0.25, 0.5, 1.0]
        # Nothing arrived: a launch may knock again too.
        with pytest.raises(Unavailable, match="no Eigenscope server answers"):
            client.launch({})
    assert len(waits) == 6


def test_a_slow_server_is_not_given_more_to_do(stub: Stub) -> None:
    stub.answers, stub.slow = [RUNS], 1.0
    with (
        Client(stub.url, timeout=0.2) as client,
        pytest.raises(Unavailable, match=r"did not answer within 0\.2 s; give Client a larger timeout="),
    ):
        client.runs()
    assert len(stub.asked) == 1


@pytest.mark.parametrize(
    ("answer", "error", "sentence"),
    [
        ((401, {"error": "unauthorized", "detail": "…"}), Unauthorized, "wants its token, or another one"),
        ((404, {"error": "not_found", "detail": "there is no run 7"}), NotFound, "^there is no run 7$"),
        ((422, {"error": "invalid_input", "detail": "lr: too large"}), InvalidInput, "^lr: too large$"),
        ((404, {"error": "not_found", "detail": "Not Found"}), InvalidInput, "it is of another version"),
        ((500, {"error": "internal", "detail": "unforeseen"}), EigenscopeError, "^unforeseen$"),
        ((404, b"<html>no such page</html>"), InvalidInput, "is no Eigenscope: it answered 404, Not Found"),
        ((502, b"bad gateway"), InvalidInput, "is no Eigenscope: it answered 502, Bad Gateway"),
    ],
)
def test_a_refusal_is_final_and_clear(
    stub: Stub, answer: Any, error: type[EigenscopeError], sentence: str
) -> None:
    stub.answers = [answer]
    with Client(stub.url) as client, pytest.raises(error, match=sentence):
        client.run(7)


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_does_not_lead_the_token_astray(stub: Stub, status: int) -> None:
    stub.answers = [(status, {}, {"Location": f"{stub.url}/elsewhere"}), RUNS]
    with (
        Client(stub.url, "secret") as client,
        pytest.raises(EigenscopeError, match="leads to another address"),
    ):
        client.runs()
    assert [path.partition("?")[0] for _, path, _ in stub.asked] == ["/api/v1/runs"]


def test_the_token_is_sent_and_the_path_kept(stub: Stub) -> None:
    stub.answers = [RUNS]
    with Client(f"{stub.url}/lab/", " secret ") as client:
        client.runs()
    with Client(stub.url) as client:
        client.runs()
    assert [headers.get("Authorization") for _, _, headers in stub.asked] == ["Bearer secret", None]
    assert stub.asked[0][1].startswith("/lab/api/v1/runs?")


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://host", "http://a:b@host", "http://host/?x"])
def test_only_a_plain_address_is_taken(url: str) -> None:
    with pytest.raises(InvalidInput, match="the server's URL must be http://HOST:PORT"):
        Client(url)


def test_a_timeout_is_a_positive_number() -> None:
    with pytest.raises(InvalidInput, match="the timeout must be a positive number of seconds, not 0"):
        Client("http://host", timeout=0)


@pytest.mark.parametrize("given", [None, "wrong"])
def test_a_real_server_asks_for_its_token(server: str, given: str | None) -> None:
    with Client(server, given) as client, pytest.raises(Unauthorized, match="give token="):
        client.runs()


def test_a_report_is_a_file(client: Client, roles: dict[str, int], tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    both = [roles["I"], roles["S"]]
    assert client.report(both, file, figures=["spectrum"], layers=["layer2.0"]) == file
    assert "Eigenspectrum of layer2.0" in file.read_text()
    with pytest.raises(InvalidInput, match=r"report\.html exists; name another file"):
        client.report(both, file)
    client.report(roles["I"], file, force=True)
    assert "Training loss" in file.read_text()
    with pytest.raises(NotFound, match="none of these runs has a layer 'layer9'"):
        client.report(both, tmp_path / "other.html", layers=["layer9"])
    view = {"y": "relative", "x": "epoch", "align": "progress", "p": 50}
    client.report(both, file, view=view, force=True)
    assert "50 % of training" in file.read_text()
    with pytest.raises(
        InvalidInput, match="'zoom' is no key of a view; take one of y, xs, ys, x, align, p, band"
    ):
        client.report(both, tmp_path / "other.html", view={"zoom": 2})
    with pytest.raises(InvalidInput, match="'pie' is no value of y"):
        client.report(both, tmp_path / "other.html", view={"y": "pie"})
    with pytest.raises(InvalidInput, match="there is no folder"):
        client.report(both, tmp_path / "nowhere" / "x.html")
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
