"""Joins the commands and turns errors into one sentence."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from sqlalchemy.exc import OperationalError, SQLAlchemyError

import eigenscope
from backend.errors import EigenscopeError, InvalidInput
from eigenscope.cli import (
    archives,
    backups,
    datasets,
    demonstration,
    probe,
    pruning,
    runs,
    servers,
    tokens,
    webhooks,
    widths,
)
from eigenscope.cli.doctor import doctor
from eigenscope.cli.report import report

WRONG_USE = 2

app = typer.Typer(
    help="Eigenspectrum dynamics of object detectors: train, watch, compare.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("up")(servers.up)
app.command("serve")(servers.serve_command)
app.command("worker")(servers.worker_command)
app.command("migrate")(servers.migrate)
app.command("demo")(demonstration.demo)
app.command("export")(archives.export_command)
app.command("import")(archives.import_command)
app.command("backup")(backups.backup_command)
app.command("restore")(backups.restore_command)
app.command("prune")(pruning.prune_command)
app.command("doctor")(doctor)
app.command("report")(report)
app.add_typer(datasets.app, name="datasets")
app.add_typer(runs.app, name="runs")
app.add_typer(probe.app, name="probe")
app.add_typer(widths.app, name="widths")
app.add_typer(tokens.app, name="tokens")
app.add_typer(webhooks.app, name="webhooks")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"eigenscope {eigenscope.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Options of every command."""


def main() -> None:
    """Run the command line; an error a person can act on is one line on stderr."""
    try:
        app()
    except EigenscopeError as error:
        _fail(str(error), WRONG_USE if isinstance(error, InvalidInput) else 1)
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        _fail(f"the database does not answer: {reason}; check EIGENSCOPE_DATABASE_URL", 1)
    except SQLAlchemyError as error:
        _fail(f"the database refused: {str(error).splitlines()[0]}", 1)
    except BrokenPipeError:
        # The reader of a pipe has left; Python would complain again when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _fail(sentence: str, status: int) -> None:
    typer.echo(f"eigenscope: {sentence}", err=True)
    sys.exit(status)
