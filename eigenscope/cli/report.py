"""`eigenscope report …`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from backend.errors import InvalidInput
from backend.measurements.service import PAPER_CRITERION
from eigenscope.images import DPI, Format, Print, save_figures
from eigenscope.instance import Instance, open_instance, read_settings
from eigenscope.writing import demand_new, write_whole
from frontend import gather
from frontend.builders.missing import is_empty
from frontend.figure_catalogue import FIGURES, figure
from frontend.figures.paper import Paper
from frontend.formats import size
from frontend.report.contents import Panel, panels
from frontend.report.cursor import placed
from frontend.report.document import file_name
from frontend.report.document import report as whole_report
from frontend.report.request import ReportRequest, words_of
from frontend.report.view import ReportView, values_of

NAMES = ", ".join(FIGURES)
BOTH_COLUMNS = 174.0
"""Millimetres: what stands side by side needs the width of both."""


@dataclass(frozen=True)
class Sizes:
    """What was said of the images' size; None where nothing was."""

    width: float | None
    height: float | None
    letters: float

    def paper(self, panel: Panel) -> Paper:
        """Return a panel's size."""
        usual = BOTH_COLUMNS if panel.figure == "compare" else Paper.width_mm
        width = usual if self.width is None else self.width
        return Paper(width, 0.75 * width if self.height is None else self.height, self.letters)


@dataclass(frozen=True)
class Target:
    """Where images go, and as what."""

    format: Format
    folder: Path
    dpi: int
    force: bool


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
    y: Annotated[str, typer.Option(help=values_of("y"))] = "",
    xs: Annotated[str, typer.Option(help=values_of("xs"))] = "",
    ys: Annotated[str, typer.Option(help=values_of("ys"))] = "",
    x: Annotated[str, typer.Option(help=values_of("x"))] = "",
    align: Annotated[str, typer.Option(help=values_of("align"))] = "",
    progress: Annotated[
        float | None,
        typer.Option(help="With --align progress: where the cursor stands, in percent of each training."),
    ] = None,
    band: Annotated[
        str,
        typer.Option(help="A tag: its runs are drawn as their mean with a band; or: tags, for all shared."),
    ] = "",
    images: Annotated[
        Format | None,
        typer.Option(help="Write each figure as a PNG or SVG file for a paper, instead of the HTML file."),
    ] = None,
    folder: Annotated[Path, typer.Option(help="With --images: where they go.")] = Path(),
    width: Annotated[
        float | None, typer.Option(help="With --images: millimetres; 84, a column of two, without it.")
    ] = None,
    height: Annotated[
        float | None, typer.Option(help="With --images: millimetres; three quarters of the width without it.")
    ] = None,
    letters: Annotated[
        float, typer.Option(help="With --images: the letters' size in points.")
    ] = Paper.font_pt,
    dpi: Annotated[int, typer.Option(help="With --images png: dots per inch.")] = DPI,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that exists.")] = False,
) -> None:
    """Write a report of runs: one HTML file with figures, tables and settings that works offline."""
    if images and out:
        raise InvalidInput(
            "--images writes a file for each figure; name their folder with --folder, not --out"
        )
    asked = ReportRequest(
        runs=tuple(dict.fromkeys(runs)),
        figures=words_of(figures),
        layers=tuple(dict.fromkeys(layer or ())),
        iteration=iteration,
        criterion=criterion,
        threshold=threshold,
        view=ReportView(y, xs, ys, x, align, band, progress),
    )
    with open_instance(read_settings(), migrate=True) as instance:
        if images:
            sizes = Sizes(width, height, letters)
            _write_images(instance, asked, Target(images, folder, dpi, force), sizes)
        else:
            _write_page(instance, asked, out or Path(file_name(asked)), force)


def _write_page(instance: Instance, asked: ReportRequest, file: Path, force: bool) -> None:
    # Before the work: a minute later would be too late to hear it.
    demand_new(file, force=force)
    with instance.database.reading() as session:
        content = whole_report(session, asked, datetime.now(UTC))
    written = write_whole(file, content, force=force)
    typer.echo(f"{size(written.stat().st_size)}, to be opened in any browser", err=True)
    typer.echo(str(written))


def _write_images(instance: Instance, asked: ReportRequest, target: Target, sizes: Sizes) -> None:
    if not target.folder.is_dir():
        raise InvalidInput(f"there is no folder {target.folder}; make it first, or name another")
    with instance.database.reading() as session:
        runs = gather.runs_of(session, asked.runs)
        asked, _ = placed(runs, asked)
        chosen = panels(session, runs, asked)
        drawn = [figure(session, panel.figure, panel.request(asked, "light")) for panel in chosen]
    prints = []
    for panel, one in zip(chosen, drawn, strict=True):
        if is_empty(one):
            typer.echo(f"{panel.figure} is left out: {one.layout.meta['empty']}", err=True)
        else:
            prints.append(
                Print(target.folder / f"{panel.file_stem}.{target.format}", one, sizes.paper(panel))
            )
    for file in save_figures(prints, dpi=target.dpi, force=target.force):
        typer.echo(str(file))
