"""Over HTTP: patient where nothing can happen twice, clear about what went wrong, and no token goes astray."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from backend.errors import EigenscopeError, InvalidInput, NotFound, Unauthorized, Unavailable
from eigenscope import Client
from eigenscope.client import transport

RUNS = (200, {"items": [], "next_cursor": None})
BUSY = (503, {"error": "unavailable", "detail": "the database does not answer; see the server's log"})


class Stub:
    """A server that gives scripted answers, the last one again and again; None cuts the connection."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.asked: list[tuple[str, str, str | None]] = []
        self.slow = 0.0
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"] or 0))
                stub.asked.append((self.command, self.path, self.headers["Authorization"]))
                answer = stub.answers.pop(0) if len(stub.answers) > 1 else stub.answers[0]
                sleep(stub.slow)
                if answer is None:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                status, content, *more = answer
                body = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in more:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = _answer  # noqa: N815 - the names that the library calls

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:
                    # The client had no patience.
                    self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def stub() -> Iterator[Stub]:
    made = Stub()
    yield made
    made.close()


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
    stub.answers = [(status, {}, ("Location", f"{stub.url}/elsewhere")), RUNS]
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
    assert [authorization for *_, authorization in stub.asked] == ["Bearer secret", None]
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
    with pytest.raises(InvalidInput, match="there is no folder"):
        client.report(both, tmp_path / "nowhere" / "x.html")
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
