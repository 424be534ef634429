"""`eigenscope report …`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from backend.measurements.service import PAPER_CRITERION
from eigenscope.instance import Instance, open_instance, read_settings
from eigenscope.writing import demand_new, write_whole
from frontend.figure_catalogue import FIGURES
from frontend.formats import size
from frontend.report.document import file_name
from frontend.report.document import report as whole_report
from frontend.report.request import ReportRequest, words_of

NAMES = ", ".join(FIGURES)


def report(
    runs: Annotated[list[int], typer.Argument(metavar="RUN...", help="The runs' numbers.")],
    out: Annotated[
        Path | None, typer.Option(help="The file to write; without it eigenscope-report-RUNS.html.")
    ] = None,
    figures: Annotated[
        str, typer.Option(help=f"Names separated by commas, of: {NAMES}. Without it what the pages show.")
    ] = "",
    layer: Annotated[
        list[str] | None, typer.Option(help="For figures of one layer; give it several times for several.")
    ] = None,
    iteration: Annotated[
        int | None, typer.Option(min=0, help="Where the cursor stands; without it at the last snapshot.")
    ] = None,
    criterion: Annotated[str, typer.Option(help="What counts as a dimension.")] = PAPER_CRITERION,
    threshold: Annotated[float | None, typer.Option(help="The criterion's threshold.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that exists.")] = False,
) -> None:
    """Write a report of runs: one HTML file with figures, tables and settings that works offline."""
    asked = ReportRequest(
        runs=tuple(dict.fromkeys(runs)),
        figures=words_of(figures),
        layers=tuple(dict.fromkeys(layer or ())),
        iteration=iteration,
        criterion=criterion,
        threshold=threshold,
    )
    with open_instance(read_settings(), migrate=True) as instance:
        _write_page(instance, asked, out or Path(file_name(asked)), force)


def _write_page(instance: Instance, asked: ReportRequest, file: Path, force: bool) -> None:
    # Before the work: a minute later would be too late to hear it.
    demand_new(file, force=force)
    with instance.database.reading() as session:
        content = whole_report(session, asked, datetime.now(UTC))
    written = write_whole(file, content, force=force)
    typer.echo(f"{size(written.stat().st_size)}, to be opened in any browser", err=True)
    typer.echo(str(written))
