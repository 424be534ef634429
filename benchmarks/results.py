"""Results as they are kept: one JSON file for each machine, its parts measured together or one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.machine import Machine
from benchmarks.rows import Part

FOLDER = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Entry:
    """A part's rows, the day (UTC) and the software they were measured with."""

    date: str
    software: str
    part: Part


@dataclass(frozen=True)
class Results:
    """All that one machine has measured, by the part's name."""

    machine: Machine
    parts: dict[str, Entry]


_JSON = TypeAdapter(Results)


def read_results(folder: Path) -> list[Results]:
    """Return every machine's results, by file name."""
    return [_JSON.validate_json(file.read_bytes()) for file in sorted(folder.glob("*.json"))]


def keep(folder: Path, machine: Machine, name: str, entry: Entry) -> Path:
    """Write a part into its machine's file, in place of an earlier measurement of it; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{machine.slug}.json"
    kept = _JSON.validate_json(file.read_bytes()) if file.exists() else Results(machine, {})
    file.write_bytes(_JSON.dump_json(replace(kept, parts=kept.parts | {name: entry}), indent=1) + b"\n")
    return file
