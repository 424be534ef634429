"""`eigenscope export` and `import`: runs between instances."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import eigenscope
from backend.keeping.exporting import Written, export
from backend.keeping.importing import import_runs
from eigenscope.instance import open_instance, read_settings
from eigenscope.terminal.output import megabytes, print_json, print_table

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Which(StrEnum):
    """Which checkpoints go along."""

    last = "last"
    all = "all"
    none = "none"


def export_command(
    runs: Annotated[list[int], typer.Argument(help="The runs' numbers.")],
    to: Annotated[Path, typer.Option("--to", help="The archive to write, such as runs.zip.")],
    checkpoints: Annotated[Which, typer.Option(help="Which checkpoints go along.")] = Which.last,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite the file.")] = False,
    as_json: Json = False,
) -> None:
    """Write runs and all that they measured to one archive, which `eigenscope import` takes in elsewhere."""
    chosen = list(dict.fromkeys(runs))
    with open_instance(read_settings(), migrate=True) as instance:
        written = export(
            instance.database,
            instance.settings,
            chosen,
            to,
            checkpoints.value,
            eigenscope.__version__,
            replace=replace,
        )
    say_missing(written)
    if as_json:
        print_json({"file": written.path, "bytes": written.bytes, "runs": chosen, "missing": written.missing})
    else:
        typer.echo(
            f"{to}: {written.runs} run(s) with {written.checkpoints} checkpoint(s), {megabytes(written.bytes)}"
        )


def say_missing(written: Written) -> None:
    """Say which checkpoints could not go along."""
    for one in written.missing:
        typer.echo(f"left out: the checkpoint of {one}, whose file is gone from the disk", err=True)


def import_command(
    file: Annotated[Path, typer.Argument(help="An archive that `eigenscope export` wrote.")],
    as_json: Json = False,
) -> None:
    """Take in the runs of an archive under new numbers; it is checked whole before anything is written."""
    with open_instance(read_settings(), migrate=True) as instance:
        found = import_runs(instance.database, instance.settings, file)
    for name in found.missing:
        typer.echo(
            f"dataset '{name}' is not here: the runs show its name and numbers; `eigenscope datasets add` under that "
            "name gives it its files",
            err=True,
        )
    if as_json:
        rows = [
            {"id": run.id, "name": run.name, "was": run.was, "host": found.host, "dataset": run.dataset}
            for run in found.runs
        ]
        print_json(rows)
    else:
        rows_shown = [[str(run.id), run.name, str(run.was), run.dataset or "–"] for run in found.runs]
        print_table(("id", "name", "id there", "dataset"), rows_shown, numeric=("id", "id there"))
        typer.echo(f"{len(found.runs)} run(s) of {found.host or 'another instance'} are here", err=True)
