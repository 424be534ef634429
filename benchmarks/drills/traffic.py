"""Writers and readers at once on one server: what fails, how long answers take, when a snapshot is seen, what grows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from backend.database import Database
from benchmarks.dashboard.seeding import fill, run_that_ended
from benchmarks.dashboard.spectra import Amount, name
from benchmarks.drills.commands import Command
from benchmarks.drills.findings import Finding, durations, growth_of, percentile
from benchmarks.drills.places import Kind, Place, served
from benchmarks.drills.readers import ReadersAsked
from benchmarks.drills.sightings import Sightings, Visit, lags
from benchmarks.drills.writer import WriterAsked, WriterReport

READ_LIMIT, LAG_LIMIT = 500.0, 2.0
"""Milliseconds of the 99th percentile of answers, seconds of that of the live lag."""
FAIR, KEPT_PACE = 90.0, 95.0
"""Percent: of the fastest writer's iterations that the slowest has; of those due that all have."""
FLAT = 10.0
"""Percent by which the server's memory may grow in the later two thirds."""
WARM = 3.0
"""Seconds that writers have before readers come."""
LONG_GRACE = 120.0


@dataclass(frozen=True)
class Traffic:
    """How much of it."""

    writers: int = 8
    readers: int = 50
    seconds: float = 600.0
    seed: int = 0
    before: Amount = Amount(runs=6, layers=80, iterations=40, listed=200)  # noqa: RUF009 - frozen
    """What is stored already."""


@dataclass(frozen=True)
class Measured:
    """What came of it."""

    writers: list[WriterReport]
    sightings: Sightings
    memory: list[tuple[float, float]]
    """The server's resident set in MiB, by seconds."""
    server_seconds: float
    """Processor seconds that the server took meanwhile."""
    problems: list[str]
    """What processes of the drill died of."""
    seconds: float


def measure(kind: Kind, folder: Path, traffic: Traffic) -> list[Finding]:
    """Return what was found on one kind of database."""
    with served(folder, kind) as place:
        database = Database(place.database_url)
        fill(database, traffic.before)
        live = _queue_runs(database, traffic)
        database.dispose()
        measured = _run(place, folder, traffic, live)
    return findings(kind, traffic, measured)


def _queue_runs(database: Database, traffic: Traffic) -> list[int]:
    """Queue a run for each writer and return their ids."""
    with database.writing() as session:
        runs = [run_that_ended(1, number, 100_000) for number in range(traffic.writers)]
        for run in runs:
            run.status, run.iteration, run.attempt, run.ap = "queued", 0, 0, None
            run.started_at = run.finished_at = None
        session.add_all(runs)
        session.flush()
        return [run.id for run in runs]


def _run(place: Place, folder: Path, traffic: Traffic, live: list[int]) -> Measured:
    layers = [name(k) for k in range(traffic.before.layers)]
    asked = [
        WriterAsked(k, place.database_url, str(place.home), traffic.seconds + WARM, len(layers))
        for k in range(traffic.writers)
    ]
    ended = [1 + k for k in range(traffic.before.runs)]
    reading = ReadersAsked(place.address, traffic.readers, traffic.seconds, traffic.seed, live, ended, layers)
    began, spent = time.monotonic(), _processor_seconds(place.commands["server"])
    writers = [_start("writer", one, folder / f"writer-{one.number}.json") for one in asked]
    time.sleep(WARM)
    readers = _start("readers", reading, folder / "readers.json")
    memory = _watch(place.commands["server"], [readers, *writers], traffic.seconds)
    problems = [
        problem
        for one, process in zip(
            ("readers", *(f"writer {k}" for k in range(traffic.writers))), [readers, *writers], strict=True
        )
        if (problem := _ended(one, process, folder))
    ]
    if not place.server.answers():
        problems.append("the server does not answer at the end")
    return Measured(
        writers=[_writer(folder / f"writer-{k}.json", k) for k in range(traffic.writers)],
        sightings=_sightings(folder / "readers.json"),
        memory=memory,
        server_seconds=_processor_seconds(place.commands["server"]) - spent,
        problems=problems,
        seconds=time.monotonic() - began,
    )


def _start(module: str, asked: WriterAsked | ReadersAsked, report: Path) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", f"benchmarks.drills.{module}", json.dumps(asdict(asked)), str(report)]
    with report.with_suffix(".log").open("wb") as log:
        return subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT)


def _watch(
    server: Command, processes: Sequence[subprocess.Popen[bytes]], seconds: float
) -> list[tuple[float, float]]:
    """Note the server's memory until all processes have ended; those that do not end are ended."""
    began, samples = time.monotonic(), []
    while any(one.poll() is None for one in processes):
        passed = time.monotonic() - began
        samples.append((passed, _resident(server)))
        if passed > seconds + LONG_GRACE:
            for one in processes:
                one.kill()
        time.sleep(min(1.0, seconds / 10))
    return samples


def _resident(command: Command) -> float:
    if command.process is None:
        return float("nan")
    status = Path(f"/proc/{command.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _processor_seconds(command: Command) -> float:
    if command.process is None:
        return float("nan")
    fields = Path(f"/proc/{command.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _ended(name: str, process: subprocess.Popen[bytes], folder: Path) -> str:
    """Return why a process ended badly; empty where it did not."""
    if process.wait() == 0:
        return ""
    log = folder / f"{name.replace(' ', '-')}.log"
    last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
    return f"{name} ended with exit status {process.returncode}: {last[0]}"


def _writer(report: Path, number: int) -> WriterReport:
    return WriterReport(**json.loads(report.read_text())) if report.exists() else WriterReport(number)


def _sightings(report: Path) -> Sightings:
    if not report.exists():
        return Sightings()
    content = json.loads(report.read_text())
    visits = [
        Visit(one["run"], one["opened"], one["left"], {int(k): v for k, v in one["seen"].items()})
        for one in content.pop("visits")
    ]
    return Sightings(**content, visits=visits)


def findings(kind: str, traffic: Traffic, measured: Measured) -> list[Finding]:
    """Return what was measured beside its limits."""
    seen, writers = measured.sightings, measured.writers
    by_kind: Mapping[str, list[float]] = seen.seconds
    every = [one for some in by_kind.values() for one in some]
    away = [f"writer {one.number} met a database that did not answer" for one in writers if one.was_away]
    errors = [*seen.errors, *measured.problems, *away]
    committed = {one.run_id: one.committed for one in writers}
    found_lags = lags(seen.visits, committed)
    here = f"{kind}, {traffic.writers} writers and {traffic.readers} readers"
    rate = len(every) / traffic.seconds
    iterations = [one.iterations for one in writers]
    due = max((one.due for one in writers), default=0) or 1
    rise = growth_of(measured.memory)
    middle = percentile([value for _, value in measured.memory], 50)
    snapshots = [one for writer in writers for one in writer.snapshot_writes]
    others = [one for writer in writers for one in writer.other_writes]
    common = Counter(_without_numbers(one) for one in errors).most_common(3)
    return [
        Finding(
            f"{here}: errors", len(errors), "", 0.0, "; ".join(f"{n} times {text}" for text, n in common)
        ),
        durations(f"{here}: reads ({rate:.0f} a second)", every, READ_LIMIT),
        *(durations(f"{here}: {name}", by_kind[name], None) for name in sorted(by_kind)),
        _lag(here, found_lags),
        Finding(
            f"{here}: slowest writer beside the fastest",
            100.0 * min(iterations, default=0) / (max(iterations, default=0) or 1),
            "%",
            FAIR,
            at_least=True,
        ),
        Finding(
            f"{here}: slowest writer beside what was due",
            100.0 * min(iterations, default=0) / due,
            "%",
            KEPT_PACE,
            at_least=True,
        ),
        durations(f"{here}: a snapshot written", snapshots, None),
        durations(f"{here}: other writes", others, None),
        Finding(
            f"{here}: the server's memory grew by",
            100.0 * rise / middle,
            "%",
            FLAT,
            f"{rise:+.1f} MiB of {middle:,.0f} MiB in the later two thirds",
        ),
        _core(f"{here}: one core's time that the server took", measured.server_seconds, measured),
        _core(f"{here}: one core's time that the readers took", seen.processor_seconds, measured),
    ]


def _without_numbers(problem: str) -> str:
    """Return a problem in such words that those alike are the same."""
    return re.sub(r"\d+", "…", problem)[:160]


def _lag(here: str, seconds: Sequence[float]) -> Finding:
    middle, worst = percentile(seconds, 50), max(seconds, default=float("nan"))
    more = f"median {middle:.2f} s, worst {worst:.2f} s of {len(seconds):,}"
    return Finding(f"{here}: live lag, p99", percentile(seconds, 99), "s", LAG_LIMIT, more)


def _core(what: str, spent: float, measured: Measured) -> Finding:
    return Finding(what, 100.0 * spent / measured.seconds, "%")
