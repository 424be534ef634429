"""`GET /metrics`: the text is what Prometheus reads, and the numbers are right."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import event, insert
from sqlalchemy.exc import OperationalError

from backend.app import create_app
from backend.database import Database
from backend.measurements import repository as measurements
from backend.measurements.records import LayerRow, SpectrumRow
from backend.models import Ingest, Run, Worker
from backend.models.base import now
from backend.observability.exposition import Family, gauge, render
from backend.runs import queue, service
from backend.settings import Settings

Numbers = dict[tuple[str, frozenset[tuple[str, str]]], float]
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
NAMES = {
    "counter": ("",),
    "gauge": ("",),
    "summary": ("_sum", "_count"),
    "histogram": ("_bucket", "_sum", "_count"),
}


def parsed(text: str) -> Numbers:
    """Read Prometheus' text format as strictly as its documentation has it."""
    assert text.endswith("\n")
    found: Numbers = {}
    kinds: dict[str, str] = {}
    current = ""
    for line in text.splitlines():
        if line.startswith("# HELP "):
            current = line.split(" ", 3)[2]
            assert current not in kinds, f"{current} comes twice"
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == current
            assert kind != "counter" or name.endswith("_total")
            kinds[name] = kind
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert match[1] in {current + suffix for suffix in NAMES[kinds[current]]}, line
            labels = frozenset(LABEL.findall(match[2] or ""))
            assert LABEL.sub("", match[2] or "") == "", line
            assert (match[1], labels) not in found, f"{line} comes twice"
            found[match[1], labels] = float(match[3])
    return found


@pytest.fixture
def read(client: TestClient) -> Callable[[], Numbers]:
    def ask() -> Numbers:
        answer = client.get("/api/v1/metrics")
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        return parsed(answer.text)

    return ask


def of(numbers: Numbers, name: str, /, **labels: str) -> float:
    return numbers[f"eigenscope_{name}", frozenset(labels.items())]


@pytest.fixture
def add_run(database: Database, dataset_id: int) -> Callable[..., int]:
    def add(**values: Any) -> int:
        with database.writing() as session:
            run = Run(name="r", specification={}, dataset_id=dataset_id, iterations=10, **values)
            session.add(run)
            session.flush()
            return run.id

    return add


def test_prometheus_own_parser_reads_it(client: TestClient) -> None:
    parser = pytest.importorskip(
        "prometheus_client.parser", reason="needs prometheus-client (make setup-dev)"
    )
    client.get("/api/v1/runs")
    text = client.get("/api/v1/metrics").text
    families = {family.name: family for family in parser.text_string_to_metric_families(text)}
    assert families["eigenscope_runs"].type == "gauge"
    assert families["eigenscope_spectra_written"].type == "counter"
    assert families["eigenscope_probe_seconds"].type == "summary"
    assert families["eigenscope_http_request_duration_seconds"].type == "histogram"
    assert {sample.value for sample in families["eigenscope_database_up"].samples} == {1.0}


def test_queue_and_leases(database: Database, read, add_run) -> None:
    before = now()
    add_run(queued_at=before - timedelta(seconds=90))
    add_run(priority=9)
    add_run(status="failed")
    with database.writing() as session:
        running = queue.claim_next(session, "w", 30)
    numbers = read()
    counts = {
        status: of(numbers, "runs", status=status) for status in ("queued", "running", "failed", "lost")
    }
    assert counts == {"queued": 1, "running": 1, "failed": 1, "lost": 0}
    assert of(numbers, "queue_depth", state="ready") == 1
    assert of(numbers, "queue_depth", state="waiting") == 0
    assert 90 <= of(numbers, "queue_oldest_seconds") < 100
    # The lease is 60 s here, and ends in 30: half of it has passed since the worker was heard of.
    assert 30 <= of(numbers, "lease_age_seconds", run_id=str(running), origin="launched") < 35


def test_a_run_that_waits_for_another_is_counted_apart(
    read, add_run, database: Database, dataset_id: int
) -> None:
    source = add_run()
    waits = {"init": {"kind": "run", "run_id": source, "iteration": None}}
    with database.writing() as session:
        session.add(
            Run(name="w", specification=waits, dataset_id=dataset_id, iterations=1, parent_run_id=source)
        )
    numbers = read()
    assert of(numbers, "queue_depth", state="ready") == 1
    assert of(numbers, "queue_depth", state="waiting") == 1


def test_workers_and_their_gpus(database: Database, read) -> None:
    card = {"name": 'a "fast"\\ card', "memory_bytes": 80 * 2**30, "memory_used_bytes": 3 * 2**30}
    slice_ = {"name": "slice", "memory_bytes": 2**30, "memory_used_bytes": None}
    with database.writing() as session:
        session.add(Worker(name="h:1:2", host="h", devices=[card, slice_], run_id=4))
        session.add(Worker(name="idle", host="h", devices=[]))
        session.add(Worker(name="gone", host="h", devices=[card], seen_at=now() - timedelta(minutes=9)))
    numbers = read()
    assert of(numbers, "workers_alive") == 2
    assert [of(numbers, "workers", state=state) for state in ("busy", "idle", "silent")] == [1, 1, 1]
    labels = {"worker": "h:1:2", "device": "0", "name": 'a \\"fast\\"\\\\ card'}
    assert of(numbers, "gpu_memory_bytes", **labels) == 80 * 2**30
    assert of(numbers, "gpu_memory_used_bytes", **labels) == 3 * 2**30
    assert len([name for name, _ in numbers if name == "eigenscope_gpu_memory_used_bytes"]) == 1


def test_what_is_written_is_counted_and_deleting_takes_nothing_away(
    database: Database, read, add_run
) -> None:
    first, second = add_run(), add_run()
    row = SpectrumRow(0, np.ones(2), 2, 2.0, 1.0, 1, 4)
    for run_id in (first, second):
        with database.writing() as session:
            measurements.write_layers(session, run_id, [LayerRow(0, "a", "conv", "s", 2)])
            measurements.write_spectra(session, run_id, 1, [row], 1.25)
            measurements.write_spectra(session, run_id, 2, [row], 0.5)
            measurements.write_spectra(session, run_id, 3, [row])
            points = [(1, "loss", 0.5), (1, "lr", 0.1), (2, "loss", 0.4), (3, "loss", float("nan"))]
            measurements.write_metrics(session, run_id, points)
            measurements.write_metrics(session, run_id, [])
    numbers = read()
    assert of(numbers, "spectra_written_total") == 6
    assert of(numbers, "metric_points_written_total") == 8
    assert of(numbers, "probe_seconds_sum") == 3.5
    assert of(numbers, "probe_seconds_count") == 4
    with database.writing() as session:
        service.delete(session, first)
    again = read()
    for name in ("spectra_written_total", "metric_points_written_total", "probe_seconds_sum"):
        assert of(again, name) == of(numbers, name)


def test_requests_are_counted_by_route_and_never_by_address(client: TestClient, read) -> None:
    for run_id in (77, 78):
        client.get(f"/api/v1/runs/{run_id}")
    for number in range(3):
        client.get(f"/api/v1/nothing/{number}")
    client.request("BREW", "/api/v1/runs")
    numbers = read()
    labels = {"method": "GET", "route": "/api/v1/runs/{run_id}", "status": "404"}
    assert of(numbers, "http_request_duration_seconds_count", **labels) == 2
    assert of(numbers, "http_request_duration_seconds_bucket", **labels, le="+Inf") == 2
    assert 0 < of(numbers, "http_request_duration_seconds_sum", **labels) < 2
    buckets = sorted(
        (float(dict(found)["le"]), value)
        for (name, found), value in numbers.items()
        if name.endswith("_bucket") and labels.items() <= dict(found).items()
    )
    assert [value for _, value in buckets] == sorted(value for _, value in buckets)
    routes = {dict(found)["route"] for name, found in numbers if name.endswith("seconds_count") and found}
    assert routes <= {"/api/v1/runs/{run_id}", "/api/v1/runs", "/api/v1/metrics", "(unknown)"}
    methods = {dict(found)["method"] for name, found in numbers if name.endswith("duration_seconds_count")}
    assert methods <= {"GET", "(unknown)"}


def test_without_the_database_it_says_so(app: FastAPI, client: TestClient, monkeypatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr("backend.system.metrics.written", away)
    answer = client.get("/api/v1/metrics")
    assert answer.status_code == 200
    numbers = parsed(answer.text)
    assert of(numbers, "database_up") == 0
    assert ("eigenscope_spectra_written_total", frozenset()) not in numbers
    assert numbers["process_resident_memory_bytes", frozenset()] > 2**20


def test_it_needs_the_token(settings: Settings, database: Database) -> None:
    app = create_app(settings.model_copy(update={"token": "s3cret"}))
    with TestClient(app, base_url="http://127.0.0.1:8000") as guarded:
        assert guarded.get("/api/v1/metrics").status_code == 401
        assert guarded.get("/api/v1/metrics", headers={"Authorization": "Bearer s3cret"}).status_code == 200


def test_numbers_and_names_are_written_as_prometheus_reads_them() -> None:
    family = Family("x", "gauge", "two\nlines \\ and more").add(float("inf"), a='q"\\\n').add(float("nan"))
    text = render([family.add(3, b=""), gauge("empty", "left out")])
    assert text.splitlines() == [
        r"# HELP x two\nlines \\ and more",
        "# TYPE x gauge",
        r'x{a="q\"\\\n"} +Inf',
        "x NaN",
        'x{b=""} 3',
    ]


RUNS = 1000
SWEPT = {"webhook_events", "width_plans"}
"""What the sweeper and the messenger may read meanwhile."""


def test_it_reads_no_measurement(app: FastAPI, client: TestClient, dataset_id: int) -> None:
    """However much was measured, it costs the same: no table that grows by a measurement is asked."""
    database = app.state.database
    with database.writing() as session:
        kept = {"tags": [], "specification": {}, "dataset_id": dataset_id, "iterations": 9, "name": "r"}
        states = ("queued", "running", "succeeded", "failed")
        rows = [kept | {"status": states[k % 4], "lease_expires_at": now()} for k in range(RUNS)]
        session.execute(insert(Run), rows)
        session.execute(insert(Ingest), [{"run_id": k, "spectra": 16_000} for k in range(1, RUNS + 1)])
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    text = client.get("/api/v1/metrics").text
    assert of(parsed(text), "spectra_written_total") == 16_000 * RUNS
    tables = {name for one in asked for name in re.findall(r"\bFROM (\w+)", one)}
    assert "runs" in tables
    few = {"runs", "workers", "ingest", "run_watches", "webhook_deliveries", "tokens"}
    assert tables <= few | SWEPT, tables
