"""`eigenscope backup` and `restore`: a whole instance."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

import eigenscope
from backend.keeping.backups import back_up
from backend.keeping.restoring import restore
from eigenscope.instance import open_instance, read_settings
from eigenscope.terminal.output import megabytes, print_json

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def backup_command(
    to: Annotated[
        Path, typer.Option("--to", help="The file to write, or a folder for one with the time in its name.")
    ],
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite the file.")] = False,
    as_json: Json = False,
) -> None:
    """Write the whole instance to one file while it is at work: database, checkpoints, datasets made here."""
    with open_instance(read_settings(), migrate=False) as instance:
        written = back_up(instance.database, instance.settings, to, eigenscope.__version__, replace=replace)
    for one in written.missing:
        typer.echo(f"left out: {one}", err=True)
    if as_json:
        print_json(asdict(written))
    else:
        typer.echo(
            f"{written.path}: {written.runs} run(s) with {written.checkpoints} checkpoint(s), "
            f"{megabytes(written.bytes)}"
        )


def restore_command(
    file: Annotated[Path, typer.Argument(help="A file that `eigenscope backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Let what this instance holds go, if it is not empty.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take a backup back into an empty instance; it is checked whole before anything is written."""
    with open_instance(read_settings(), migrate=True) as instance:
        found = restore(instance.database, instance.settings, file, replace=replace)
    if as_json:
        print_json(asdict(found))
    else:
        typer.echo(
            f"{found.rows['runs']} run(s) and {found.rows['datasets']} dataset(s) of {found.host} are back, as of "
            f"{found.made_at}"
        )
