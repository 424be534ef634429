"""The drill of load at toy size: it runs through, and what goes wrong is counted."""

from __future__ import annotations

import asyncio
import json
import math
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from benchmarks.dashboard.spectra import Amount
from benchmarks.drills import __main__ as command
from benchmarks.drills import backlog, growth, load, report, traffic
from benchmarks.drills.findings import Finding, durations, growth_of, percentile
from benchmarks.drills.readers import ReadersAsked, read
from benchmarks.drills.sightings import Sightings, Visit, lags
from benchmarks.drills.tab import Settled
from benchmarks.drills.traffic import Measured, Traffic
from benchmarks.drills.writer import WriterReport
from benchmarks.machine import Machine
from tests import coroutines

TINY = Amount(runs=2, layers=3, iterations=4, listed=3)


class Broken(BaseHTTPRequestHandler):
    """A server whose figures fail and whose streams of events end."""

    def do_GET(self) -> None:
        if "/figures/" in self.path:
            self._answer(500, b"{}")
        elif self.path.endswith("/events"):
            self._answer(200, b"event: hello\ndata: {}\n\n")
        elif self.path.startswith("/api/"):
            self._answer(200, b'{"total": 0}')
        else:
            ids = [int(one) for one in re.findall(r"\d+", self.path)]
            view = {"runs": [{"id": one, "iterations": [0], "live": one == 1} for one in ids]}
            script = f'<script type="application/json" id="view">{json.dumps(view)}</script>'
            self._answer(200, script.encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def broken() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Broken)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def readers(address: str, seconds: float = 2.0) -> Sightings:
    return coroutines.run(read(ReadersAsked(address, 8, seconds, 0, [1], [2], ["layer1.0.act1"])))


def measured(**changes: Any) -> Measured:
    """Return what a faultless load of one writer and one reader measures, but for the changes."""
    writer = WriterReport(0, 7, [(0, 10.0)], [0.01], [0.001], iterations=40, due=40)
    visit = Visit(7, opened=9.0, left=20.0, seen={0: 11.0})
    sightings = Sightings({"page": [0.1] * 50}, [], [visit], 1.0)
    memory = [(float(k), 100.0) for k in range(10)]
    usual: dict[str, Any] = {
        "writers": [writer],
        "sightings": sightings,
        "memory": memory,
        "server_seconds": 1.0,
    }
    return Measured(**usual | {"problems": [], "seconds": 10.0} | changes)


def broken_limits(**changes: Any) -> list[str]:
    found = traffic.findings("SQLite", Traffic(1, 1, 10.0), measured(**changes))
    return [one.line() for one in found if not one.holds]


def test_writers_and_readers_meet_on_a_server(tmp_path: Path) -> None:
    found = traffic.measure("SQLite", tmp_path, Traffic(writers=1, readers=3, seconds=8.0, before=TINY))
    by_words = {one.what.partition(": ")[2]: one for one in found}
    assert by_words["errors"].value == 0, by_words["errors"].line()
    assert {"page", "figure"} <= {words.partition(",")[0] for words in by_words}
    assert by_words["a snapshot written, p99"].value > 0
    assert by_words["one core's time that the server took"].value > 0


def test_a_long_queue_and_a_grown_database_are_asked(tmp_path: Path) -> None:
    (tmp_path / "queue").mkdir()
    found = backlog.measure("SQLite", tmp_path / "queue", runs=20, rounds=1)
    assert len(found) == len(backlog.ADDRESSES) + 5
    (tmp_path / "grown").mkdir()
    library = growth.Library(runs=6, layers=70, snapshots=2, wide=4)
    size, wide, narrow, *asked = growth.measure("SQLite", tmp_path / "grown", library, rounds=1)
    assert size.value > 0
    assert wide.value > narrow.value > 0
    assert len(asked) > 15


def test_what_a_server_does_wrong_is_counted(broken: str) -> None:
    seen = readers(broken)
    assert any(one.startswith("figure ") and ": 500" in one for one in seen.errors)
    assert any(one.startswith("events ") for one in seen.errors)
    assert not any(one.startswith("page ") for one in seen.errors)
    nobody = readers("http://127.0.0.1:9", 0.5)
    assert nobody.errors
    assert not nobody.seconds


def test_a_snapshot_that_is_seen_late_or_never_is_counted() -> None:
    committed = {7: [(0, 10.0), (20, 15.0), (40, 19.5), (60, 25.0)]}
    punctual = Visit(7, 9.0, 20.0, {0: 10.5, 20: 15.25})
    assert lags([punctual], committed) == [0.5, 0.25]
    late = Visit(7, 9.0, 20.0, {0: 14.0})
    assert lags([late], committed) == [4.0, 5.0], (
        "seen after four seconds; not seen in the five that were left"
    )
    assert lags([Visit(7, 12.0, 14.0), Visit(8, 9.0, 20.0)], committed) == []
    assert lags([Visit(7)], committed) == [], "a page that never came shows nothing late"


def test_each_limit_can_be_broken() -> None:
    assert broken_limits() == []
    assert "errors: 1" in broken_limits(problems=["the server does not answer at the end"])[0]
    slow = Sightings({"page": [0.1] * 50 + [0.6]}, [], [Visit(7, 9.0, 20.0, {0: 11.0})])
    assert "reads" in broken_limits(sightings=slow)[0]
    unseen = Sightings({"page": [0.1] * 50}, [], [Visit(7, 9.0, 20.0)])
    assert "live lag" in broken_limits(sightings=unseen)[0]
    assert len(broken_limits(sightings=Sightings())) == 2, (
        "no reader saw anything: neither reads nor lag are known"
    )
    rising = [(float(k), 100.0 + 5 * k) for k in range(10)]
    assert "memory" in broken_limits(memory=rising)[0]
    away = WriterReport(0, 7, [(0, 10.0)], [0.01], [0.001], iterations=40, due=40, was_away=True)
    assert "errors: 1" in broken_limits(writers=[away])[0]
    starved = WriterReport(1, 8, [(0, 10.0)], [0.01], [0.001], iterations=20, due=40)
    lines = broken_limits(writers=[measured().writers[0], starved])
    assert [("slowest writer" in line) for line in lines] == [True, True]


def test_numbers_of_the_report() -> None:
    assert percentile([0.1, 0.2, 0.9], 99) == 0.9
    assert math.isnan(percentile([], 50))
    assert not Finding("nothing", math.nan, "ms", 500.0).holds
    assert growth_of([(float(k), 100.0) for k in range(9)]) == pytest.approx(0.0)
    assert growth_of([(float(k), 0.0 if k < 3 else 10.0 * k) for k in range(10)]) == pytest.approx(60.0)
    line = durations("reads", [0.1, 0.2, 0.7], 500.0).line()
    assert line == "reads, p99: 700 ms (≤ 500 ms), median 200 ms, worst 700 ms of 3  BROKEN"


def test_of_several_wishes_the_most_impatient_counts() -> None:
    done: list[float] = []

    async def work() -> None:
        done.append(asyncio.get_running_loop().time())

    async def wish() -> None:
        settled = Settled(work)
        task = asyncio.create_task(settled.run())
        began = asyncio.get_running_loop().time()
        settled(5.0)
        await asyncio.sleep(0.05)
        settled(0.1)
        settled(5.0)
        await asyncio.sleep(0.5)
        task.cancel()
        assert len(done) == 1
        assert done[0] - began < 0.5

    coroutines.run(wish())


def test_a_broken_limit_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [Finding("fine", 1.0, "ms", 2.0), Finding("late", 3.0, "ms", 2.0)]
    monkeypatch.setattr(load, "_measured", lambda *_: found)
    assert command.main(["--drill", "load", "--part", "queue", "--database", "SQLite"]) == 1
    assert "late: 3 ms (≤ 2 ms)  BROKEN" in capsys.readouterr().out
    monkeypatch.setattr(load, "_measured", lambda *_: found[:1])
    assert command.main(["--drill", "load", "--part", "queue", "--database", "SQLite"]) == 0


def test_on_sqlite_one_writes_and_five_read() -> None:
    asked = load.Load(minutes=1, writers=8, readers=50)
    assert (asked.traffic_on("SQLite").writers, asked.traffic_on("SQLite").readers) == (1, 5)
    assert (asked.traffic_on("PostgreSQL").writers, asked.traffic_on("PostgreSQL").seconds) == (8, 60)


def test_what_was_measured_stands_between_the_page_s_marks(tmp_path: Path) -> None:
    page = tmp_path / "load.md"
    page.write_text(f"# Load\n\n{report.BEGIN}of last year{report.END}\nafter\n", encoding="utf-8")
    machine = Machine("a processor", 2, 8, "")
    found = [
        Finding("SQLite, 3 runs: a claim", 3.0, "ms", 2.0, "of 9"),
        Finding("SQLite, 3 runs: size", 1.0, "MiB"),
    ]
    report.write(found, machine, page)
    report.write(found, machine, page)
    text = page.read_text(encoding="utf-8")
    assert "of last year" not in text
    assert text.endswith("\nafter\n")
    assert text.count("### SQLite, 3 runs\n") == 1
    assert "| a claim | 3 ms | ≤ 2 ms | **no** | of 9 |\n| size | 1.0 MiB |  |  |  |\n" in text
    assert report.BEGIN in report.PAGE.read_text(encoding="utf-8")
