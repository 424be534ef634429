"""`make drill`: kills what can be killed, sends what nobody should, loads what it can; counts what goes wrong."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.drills import input as wrong_input
from benchmarks.drills import load, report
from benchmarks.drills.killing import Outcome, drill
from benchmarks.drills.places import embedded, services
from benchmarks.machine import this_machine

PLACES = {"embedded": embedded, "services": services}
DRILLS = ("kill", "input", "load")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the drills; return 1 where anything was lost, doubled, changed, answered wrongly or too late, else 0."""
    options = _options(arguments)
    _say(f"{this_machine()}; seed {options.seed}")
    chosen = options.drill or DRILLS
    failed = 0
    if "kill" in chosen:
        failed += _kill(options)
    if "input" in chosen:
        failed += _send(options)
    if "load" in chosen:
        failed += _load(options)
    return 1 if failed else 0


def _kill(options: argparse.Namespace) -> int:
    """Return in how many drills something was lost."""
    began = time.monotonic()
    outcomes: list[Outcome] = []
    for name in options.place or PLACES:
        with tempfile.TemporaryDirectory(prefix="eigenscope-drill-") as folder:
            Path(folder).chmod(0o755)
            outcomes += drill(PLACES[name], Path(folder), options.moments, options.seed, _say)
    failed = sum(bool(one.problems) for one in outcomes)
    kills, runs = sum(one.kills for one in outcomes), sum(one.runs for one in outcomes)
    _say(
        f"{kills} kills in {runs} runs, {sum(one.succeeded for one in outcomes)} of them succeeded, "
        f"{failed} of {len(outcomes)} drills failed, {(time.monotonic() - began) / 60:.0f} min"
    )
    return failed


def _send(options: argparse.Namespace) -> int:
    """Return how many answers were at fault."""
    logging.disable(logging.CRITICAL)
    try:
        report = wrong_input.run(options.requests, options.seed)
    finally:
        logging.disable(logging.NOTSET)
    for line in report.lines():
        _say(line)
    return len(report.faults)


def _load(options: argparse.Namespace) -> int:
    """Return how many limits were broken."""
    asked = load.Load(
        minutes=options.minutes,
        writers=options.writers,
        readers=options.readers,
        seed=options.seed,
        parts=options.part or load.PARTS,
        kinds=options.database or load.KINDS,
    )
    found = load.run(asked, _say)
    if options.write:
        report.write(found, this_machine())
    return sum(not one.holds for one in found)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make drill", description=__doc__)
    parser.add_argument("--drill", action="append", choices=DRILLS, help="only this one; may be repeated")
    parser.add_argument(
        "--place", action="append", choices=tuple(PLACES), help="where to kill; both if not named"
    )
    parser.add_argument("--moments", type=int, default=20, help="how often each part is killed")
    parser.add_argument("--requests", type=int, default=12_000, help="how many requests are sent")
    parser.add_argument("--seed", type=int, default=0, help="of the moments and the requests")
    parser.add_argument("--part", action="append", choices=load.PARTS, help="of the load; all if not named")
    parser.add_argument(
        "--database", action="append", choices=load.KINDS, help="that is loaded; both if not named"
    )
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="for which writers write and readers read"
    )
    parser.add_argument("--writers", type=int, default=8, help="at once, on PostgreSQL")
    parser.add_argument("--readers", type=int, default=50, help="at once, on PostgreSQL")
    parser.add_argument(
        "--write",
        action="store_true",
        help="put what the load measured into docs/load.md, in place of what is there",
    )
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
