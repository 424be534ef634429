"""What the load measured, as tables in docs/load.md."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from benchmarks.drills.findings import Finding
from benchmarks.machine import Machine

PAGE = Path(__file__).resolve().parents[2] / "docs" / "load.md"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def write(findings: Sequence[Finding], machine: Machine, page: Path = PAGE) -> None:
    """Put the findings between the page's marks, in place of those of before."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text("".join([before, BEGIN, tables(findings, machine), END, after]), encoding="utf-8")


def tables(findings: Sequence[Finding], machine: Machine) -> str:
    """Return a table for each part that was measured."""
    parts: dict[str, list[Finding]] = {}
    for one in findings:
        parts.setdefault(one.what.partition(": ")[0], []).append(one)
    lines = [f"\nOn {machine}, {date.today().isoformat()}.\n"]
    for part, found in parts.items():
        lines += [f"\n### {part}\n", "\n| what | measured | limit | holds | |\n|---|---|---|---|---|\n"]
        lines += [_row(one) for one in found]
    return "".join([*lines, "\n"])


def _row(one: Finding) -> str:
    what = one.what.partition(": ")[2].replace("|", "/")
    holds = "" if one.limit is None else "yes" if one.holds else "**no**"
    return f"| {what} | {one.number} | {one.bound} | {holds} | {one.more.replace('|', '/')} |\n"
