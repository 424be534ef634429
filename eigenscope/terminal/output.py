"""Tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

WORDS = Console(stderr=True, highlight=False)
WIDE = 240


def print_json(value: Any) -> None:
    """Print one JSON document on stdout."""
    typer.echo(json.dumps(value, allow_nan=False, default=str))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[str] = ()) -> None:
    """Print a table on stdout; `numeric` columns stand right. Cells are plain text, never markup."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in numeric else "left",
            overflow="fold",
            no_wrap=not sys.stdout.isatty(),
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console(highlight=False)
    if not console.is_terminal:
        # Where nobody sees lines break, a row stays a line.
        console.width = WIDE
    console.print(table)


def percent(value: float | None) -> str:
    """Show a fraction as people quote AP: 0.3712 as 37.1."""
    return "–" if value is None else f"{100 * value:.1f}"


def millions(value: int | None) -> str:
    """Show a count in millions."""
    return "–" if value is None else f"{value / 1e6:.2f} M"


def megabytes(count: int) -> str:
    """Show bytes as people read sizes of files, in powers of ten."""
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
