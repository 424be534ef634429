"""The tables of docs/benchmarks.md, from the results that are kept: `python -m benchmarks.page`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.results import FOLDER, Entry, Results, read_results
from benchmarks.rows import Row, Spread

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- tables: written by make bench -->\n", "<!-- end of tables -->\n"
ORDER = ("body", "readout", "training", "speed", "memory", "gpu", "card", "pages")
HEAD = "| what | median (quartiles) | ratio (quartiles) | to | budget | holds | n |\n|---|---|---|---|---|---|---|\n"


def write_tables(page: Path, results: Iterable[Results]) -> None:
    """Replace what stands between the page's marks. Raises ValueError where they are missing."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{page.name} has no place for the tables: put back the lines {BEGIN!r} and {END!r}")
    page.write_text(before + BEGIN + tables(results) + END + after, encoding="utf-8")


def tables(results: Iterable[Results]) -> str:
    """Return all machines' tables in Markdown."""
    blocks = []
    for one in results:
        blocks.append(f"\n### {one.machine}\n")
        blocks += [table(one.parts[name]) for name in ORDER if name in one.parts]
    return "".join(blocks) + "\n" if blocks else "\nNothing has been measured yet.\n\n"


def table(entry: Entry) -> str:
    """Return one part as a heading, what was measured how, and a table."""
    part = entry.part
    words = f"{part.configuration} Measured on {entry.date} with {entry.software}."
    return f"\n#### {part.title}\n\n{words}\n\n{HEAD}" + "".join(line(row) for row in part.rows)


def line(row: Row) -> str:
    """Return one row of a table."""
    cells = (
        f"{row.name} ({row.remark})" if row.remark else row.name,
        _spread(row.value, row.unit),
        _spread(row.ratio),
        row.against,
        _budget(row),
        {True: "yes", False: "**no**", None: ""}[row.holds],
        str(row.n or ""),
    )
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"


def _budget(row: Row) -> str:
    found = [] if row.budget is None else [f"≤ {_number(row.budget)}"]
    if row.limit is not None:
        found.append(f"{'≥' if row.at_least else '≤'} {_number(row.limit)} {row.unit}".strip())
    return ", ".join(found)


def _spread(spread: Spread | None, unit: str = "") -> str:
    if spread is None:
        return ""
    median = f"{_number(spread.median)} {unit}".strip()
    return f"{median} ({_number(spread.lower)} … {_number(spread.upper)})"


def _number(value: float) -> str:
    """Return three significant digits, or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip(".")


def broken(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield a sentence for each budget that does not hold."""
    for entry in entries:
        for row in entry.part.rows:
            if row.holds is False:
                found = _spread(row.value, row.unit)
                ratio = f", {_number(row.ratio.median)} times {row.against}" if row.ratio else ""
                yield f"{row.name}: {found}{ratio}, where {_budget(row)} is allowed"


if __name__ == "__main__":
    write_tables(PAGE, read_results(FOLDER))
