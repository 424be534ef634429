"""`make bench`: measures what the probe costs, prints it as tables and keeps it; docs/benchmarks.md explains it."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import torch

from benchmarks.machine import software, this_machine
from benchmarks.page import ORDER, PAGE, broken, table, write_tables
from benchmarks.results import FOLDER, Entry, keep, read_results
from benchmarks.rows import Part
from benchmarks.scale import Scale, quick


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 1 where a budget was to be checked and does not hold, else 0."""
    options = _options(arguments)
    machine, scale = this_machine(), _scale(options)
    _say(f"{machine}; {software()}")
    found = []
    for name in _parts(options):
        _say(f"measuring {name} …")
        entry = Entry(datetime.now(UTC).date().isoformat(), software(), _measure(name, scale))
        sys.stdout.write(table(entry))
        found.append(entry)
        if options.results:
            _say(f"kept in {keep(options.results, machine, name, entry)}")
    if options.results and options.page:
        write_tables(options.page, read_results(options.results))
        _say(f"tables written to {options.page}")
    problems = list(broken(found))
    for problem in problems:
        _say(f"over budget: {problem}")
    return 1 if options.check and problems else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--part", action="append", choices=ORDER, help="measure this part only; may be repeated"
    )
    parser.add_argument(
        "--gpu", action="store_true", help="measure the parts gpu and card only, and demand a GPU"
    )
    parser.add_argument("--quick", action="store_true", help="toy sizes, to try the code; nothing is kept")
    parser.add_argument("--check", action="store_true", help="exit status 1 where a budget does not hold")
    parser.add_argument("--rounds", type=int, metavar="N", help="instead of each part's own number")
    parser.add_argument("--image-size", type=int, metavar="PIXELS", help="side of the CPU training's images")
    parser.add_argument("--batch-size", type=int, metavar="IMAGES", help="of the CPU training")
    parser.add_argument("--probe-images", type=int, metavar="IMAGES", help="of the trainings' probe")
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="where results are kept")
    parser.add_argument("--page", type=Path, metavar="FILE", help="the page whose tables are rewritten")
    options = parser.parse_args(arguments)
    if options.gpu and not torch.cuda.is_available():
        parser.error("--gpu needs a GPU, and torch finds none here")
    if not options.quick:
        options.results, options.page = options.results or FOLDER, options.page or PAGE
    return options


def _parts(options: argparse.Namespace) -> Sequence[str]:
    return ("gpu", "card") if options.gpu else tuple(options.part or ORDER)


def _scale(options: argparse.Namespace) -> Scale:
    scale = quick() if options.quick else Scale()
    given = {
        "height": options.image_size,
        "width": options.image_size,
        "batch_size": options.batch_size,
        "probe_images": options.probe_images,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    scale = replace(scale, training=replace(scale.training, **changes))
    return scale if options.rounds is None else scale.with_rounds(options.rounds)


def _measure(name: str, scale: Scale) -> Part:
    # Only what is measured is imported: delve need not be where the GPU is.
    part: Part = importlib.import_module(f"benchmarks.{name}").measure(scale)
    return part


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
