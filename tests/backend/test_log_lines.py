"""Lines of the log: words or JSON, with what they are about, without secrets."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.observability import context, logs, masking
from backend.observability.lines import as_words
from backend.settings import Settings

LOG = logging.getLogger("backend.test")


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the configuration of this process as it was."""
    handlers, level = logging.root.handlers[:], logging.root.level
    monkeypatch.setattr(context, "_process", {})
    monkeypatch.setattr(masking, "_secrets", set())
    yield
    logging.root.handlers[:], logging.root.level = handlers, level


@pytest.fixture
def configured(settings: Settings) -> Any:
    def configure(process: logs.Process = "server", **more: Any) -> io.StringIO:
        stream = io.StringIO()
        logs.configure(settings.model_copy(update=more), process, stream=stream, worker="h:1:2", force=True)
        return stream

    return configure


def objects(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_says_what_a_line_is_about(configured) -> None:
    stream = configured(log_format="json")
    with context.about_run(7):
        LOG.info("run %d claimed by %s", 7, "a\nb", extra={"fields": {"seconds": 0.5}})
    LOG.warning("later")
    first, second = objects(stream)
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "INFO",
        "logger": "backend.test",
        "event": "run %d claimed by %s",
        "message": "run 7 claimed by a\nb",
        "process": "server",
        "worker": "h:1:2",
        "run_id": 7,
        "seconds": 0.5,
    }
    assert "run_id" not in second


def test_a_traceback_stays_on_the_json_line_and_below_the_words(configured) -> None:
    for form in ("json", "text"):
        stream = configured(log_format=form)
        try:
            raise RuntimeError("postgresql://me:hunter22@db/x")
        except RuntimeError:
            LOG.exception("it broke")
        written = stream.getvalue()
        assert "hunter22" not in written
        assert "RuntimeError" in written
        assert len(written.splitlines()) == 1 or form == "text"


@pytest.mark.parametrize("form", ["json", "text"])
def test_secrets_are_masked(configured, form: str) -> None:
    secrets = {
        "token": "t0ken-of-ours",
        "webhook_secret": "between-us",
        "webhook_urls": "https://hooks.example/T0/secret-path,https://other.example/x",
        "broker_url": "redis://:redis-pass@127.0.0.1:6379/0",
    }
    stream = configured(log_format=form, **secrets)
    LOG.info(
        "token %s, secret %s, to %s", secrets["token"], secrets["webhook_secret"], secrets["webhook_urls"]
    )
    LOG.info("redis-pass and %s and postgresql+psycopg://me:other-pass@db:5432/x", secrets["broker_url"])
    LOG.info("Authorization: Bearer abc.def-ghi and whsec_c2VjcmV0")
    LOG.info("all is well", extra={"fields": {"path": "/x?token=t0ken-of-ours"}})
    written = stream.getvalue()
    for secret in (
        "t0ken-of-ours",
        "between-us",
        "secret-path",
        "redis-pass",
        "other-pass",
        "abc.def",
        "c2Vj",
    ):
        assert secret not in written, written
    assert "all is well" in written


def test_words_are_one_line_and_name_the_request(configured) -> None:
    stream = configured()
    token = context.request_id.set("abc")
    LOG.info("the run %s", "x\n2026-01-01 00:00:00,000 ERROR forged")
    context.request_id.reset(token)
    (line,) = stream.getvalue().splitlines()
    assert line.endswith(r"INFO backend.test: the run x\n2026-01-01 00:00:00,000 ERROR forged (request abc)")


def test_a_trainers_json_becomes_the_words_of_its_page(configured) -> None:
    said = configured("trainer", log_format="json")
    LOG.info("iteration %d", 3)
    try:
        raise RuntimeError("deep")
    except RuntimeError:
        LOG.exception("it broke")
    words = [line for one in said.getvalue().splitlines() for line in as_words(one)]
    plain = configured("trainer")
    LOG.info("iteration %d", 3)
    assert words[0][23:] == plain.getvalue().splitlines()[0][23:] == " INFO iteration 3"
    assert abs(len(words[0][:23]) - len("2026-11-24 19:58:17,123")) == 0
    assert words[1][23:] == " ERROR it broke"
    assert words[-1] == "RuntimeError: deep"
    for other in ("plain words", '{"time": 3}', '{"time": "2026'):
        assert as_words(other) == [other]


def test_every_answer_has_a_request_id(client: TestClient, configured) -> None:
    stream = configured(log_format="json")
    mine = client.get("/api/v1/runs/77", headers={"X-Request-ID": "mine-1.2:3_4"})
    assert mine.headers["X-Request-ID"] == "mine-1.2:3_4"
    made = [client.get("/api/v1/runs").headers["X-Request-ID"] for _ in range(2)]
    assert len(set(made)) == 2
    (line,) = [one for one in objects(stream) if one.get("request_id") == "mine-1.2:3_4"]
    assert line["event"] == "request"
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/runs/77", 404)
    assert (line["route"], line["run_id"]) == ("/api/v1/runs/{run_id}", 77)
    assert line["seconds"] >= 0


@pytest.mark.parametrize("bad", ["a b", "x" * 65, "ä", '"}{', "", "a\tb"])
def test_a_request_id_that_is_not_sane_is_replaced(client: TestClient, bad: str) -> None:
    answer = client.get("/api/v1/runs", headers={"X-Request-ID": bad.encode()})
    assert len(answer.headers["X-Request-ID"]) == 32


def test_refusals_and_unforeseen_failures_have_one_too(app: FastAPI, configured) -> None:
    def broken() -> None:
        raise RuntimeError("a defect")

    app.add_api_route("/api/v1/broken", broken)
    stream = configured(log_format="json")
    with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        refused = client.get("/api/v1/runs", headers={"Host": "evil.example"})
        failed = client.get("/api/v1/broken", headers={"X-Request-ID": "mine"})
    assert (refused.status_code, len(refused.headers["X-Request-ID"])) == (400, 32)
    assert (failed.status_code, failed.headers["X-Request-ID"]) == (500, "mine")
    lines = [one for one in objects(stream) if one.get("request_id") == "mine"]
    assert any("a defect" in one.get("traceback", "") for one in lines)
    assert any(one["event"] == "request" and one["status"] == 500 for one in lines)


def test_routine_requests_are_not_in_the_log(client: TestClient, configured) -> None:
    stream = configured(log_format="json")
    client.get("/api/v1/health")
    client.get("/api/v1/metrics")
    assert [one for one in objects(stream) if one["event"] == "request"] == []
