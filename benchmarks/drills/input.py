"""Wrong input: thousands of requests made from the OpenAPI document, and thousands that no document would make.

Half of them schemathesis makes (what the document allows, and what it forbids), half are broken by hand. Nothing may
answer with a status of 500 or above, raise, or take long; every error has the one shape, and every other JSON is JSON.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import FastAPI

from backend import migration
from backend.database import Database
from backend.settings import Settings
from benchmarks.drills.input_described import described, documents, label, operations
from benchmarks.drills.input_home import Ids, fill
from benchmarks.drills.input_wire import DRAWS, Answer, Sent, Wire, faults
from benchmarks.drills.input_wrong import wrong
from eigenscope.server import build_app

REFILL_EVERY = 150
"""Requests after which the database is filled anew, since some of them delete what is there."""
SHOWN = 60
SMALL = 1000
"""So few requests do not spend their time on drawing the demo's images."""


@dataclass(frozen=True)
class Fault:
    """What one answer did wrong, and where in our code it was raised, if it was."""

    operation: str
    problem: str
    request: str
    answer: str
    place: str

    @property
    def kind(self) -> tuple[str, str]:
        """What makes it the same fault as another."""
        return (self.problem, self.place) if self.place else (self.operation, self.problem)


@dataclass
class Report:
    """What was sent and what came back."""

    sent: int = 0
    distinct: set[Sent] = field(default_factory=set)
    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    slowest: float = 0.0

    def note(self, sent: Sent, answer: Answer) -> None:
        """Count one answer and keep what it did wrong."""
        self.sent += 1
        self.distinct.add(sent)
        self.statuses.setdefault(sent.operation, Counter())[answer.status] += 1
        self.slowest = max(self.slowest, answer.seconds)
        for problem in faults(sent, answer):
            shown = repr(answer.failure)[:200] if answer.failure else repr(answer.body[:200])
            self.faults.append(Fault(sent.operation, problem, sent.shown(), shown, _place(answer.failure)))

    def lines(self) -> Iterator[str]:
        """Yield the report as text."""
        for operation in sorted(self.statuses):
            counts = ", ".join(f"{status}: {n}" for status, n in sorted(self.statuses[operation].items()))
            yield f"{operation:<70} {counts}"
        totals = sum(self.statuses.values(), Counter[int]())
        yield f"{self.sent:,} requests ({len(self.distinct):,} distinct) to {len(self.statuses)} operations"
        yield "by status: " + ", ".join(f"{status}: {n:,}" for status, n in sorted(totals.items()))
        yield f"slowest answer: {self.slowest:.2f} s"
        kinds = Counter(fault.kind for fault in self.faults)
        yield f"{len(self.faults)} faults of {len(kinds)} kinds"
        first = {fault.kind: fault for fault in reversed(self.faults)}
        for kind, times in kinds.most_common(SHOWN):
            fault = first[kind]
            yield f"  {times}x {fault.operation}: {fault.problem}"
            yield f"     {fault.request}"
            yield f"     {fault.answer} {fault.place}"


def _place(failure: BaseException | None) -> str:
    if failure is None:
        return ""
    frames = traceback.extract_tb(failure.__traceback__)
    ours = [f for f in frames if "site-packages" not in f.filename and "/drills/" not in f.filename]
    return " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed([*ours, *frames[-1:]]))


def run(requests: int, seed: int, url: str = "", home: Path | None = None) -> Report:
    """Send so many requests to a filled server; `url` is an empty or migrated database, else SQLite in `home`."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=home or Path(folder), database_url=url, _env_file=None)
        database = Database(settings.database)
        migration.upgrade(database)
        app = build_app(settings)
        wire, report = Wire(app), Report()
        try:
            _send_described(app, wire, report, settings, database, requests // 2, seed)
            _send_wrong(app, wire, report, settings, database, requests - report.sent, seed)
        finally:
            wire.close()
            app.state.broker.close()
            app.state.database.dispose()
            database.dispose()
        return report


def _send_described(
    app: FastAPI, wire: Wire, report: Report, settings: Settings, database: Database, count: int, seed: int
) -> None:
    found = [one for document in documents(app) for one in operations(document)]
    each = max(2, -(-count // len(found)))
    # A small run asks some of the operations only, others for another seed.
    chosen = found if each * len(found) <= 2 * count else found[seed % 3 :: 3]
    if count < SMALL:
        chosen = [one for one in chosen if one.path != DRAWS]
    ids = fill(settings, database)
    for operation in chosen:
        if operation.method.upper() != "GET":
            ids = fill(settings, database)
        for sent in described(operation, ids, each, seed):
            report.note(sent, wire.ask(sent))
        _progress(report, label(operation))


def _send_wrong(
    app: FastAPI, wire: Wire, report: Report, settings: Settings, database: Database, count: int, seed: int
) -> None:
    ids: Ids = fill(settings, database)
    found = [one for document in documents(app) for one in wrong(document, ids, seed)]
    # Those of both documents mixed, whatever their number.
    step = max(1, len(found) // max(1, count))
    for k, sent in enumerate(found[::step][:count]):
        if k % REFILL_EVERY == 0:
            fill(settings, database)
        report.note(sent, wire.ask(sent))
        if k % 500 == 0:
            _progress(report, "wrong on purpose")


def _progress(report: Report, words: str) -> None:
    print(f"{report.sent:>7,} {len(report.faults):>5} faults  {words}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the drill; return 1 where any answer was at fault."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drills.input", description=__doc__)
    parser.add_argument("--requests", type=int, default=12_000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument(
        "--database", default="", metavar="URL", help="a database to empty; SQLite if not named"
    )
    options = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    report = run(options.requests, options.seed, options.database)
    print("\n".join(report.lines()))
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
