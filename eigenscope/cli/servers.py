"""`up`, `serve`, `worker`, `migrate`: the processes."""

from __future__ import annotations

import logging
import signal
from types import FrameType
from typing import Annotated

import typer

from backend import migration
from backend.database import Database
from backend.errors import InvalidInput
from backend.observability import logs
from backend.settings import Settings
from eigenscope.cli.tokens import say_first_token
from eigenscope.instance import open_instance, prepare_home, read_settings
from eigenscope.processes import server_and_worker, wait_while_alive
from eigenscope.server import address, serve
from worker.celery_app import run_worker

Host = Annotated[str | None, typer.Option(help="Address to listen on; beyond loopback a token is needed.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Only warnings and errors.")]


_log = logging.getLogger(__name__)


def up(host: Host = None, port: Port = None) -> None:
    """Start one server and one worker on the embedded default, and stay until Ctrl+C."""
    settings = _listening(host, port)
    with open_instance(settings, migrate=True) as instance:
        say_first_token(instance)
    end_on_sigterm()
    with server_and_worker(settings) as children:
        _say_address(settings)
        try:
            wait_while_alive(children)
        except KeyboardInterrupt:
            typer.echo("ending; a run under way is saved first", err=True)


def end_on_sigterm() -> None:
    """Let SIGTERM end a command as Ctrl+C does, so that its children are ended in order."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def serve_command(host: Host = None, port: Port = None, quiet: Quiet = False) -> None:
    """Start the server alone."""
    settings = _listening(host, port)
    logs.configure(settings, "server", level=_level(quiet))
    with open_instance(settings, migrate=False) as instance:
        say_first_token(instance)
    if settings.log_format == "json":
        # Every line is for a program, and none holds the token.
        _log.info("Eigenscope is at %s", address(settings))
    elif not quiet:
        _say_address(settings)
    serve(settings)


def worker_command(quiet: Quiet = False) -> None:
    """Start a worker: it trains one run at a time."""
    settings = read_settings()
    logs.configure(settings, "worker", level=_level(quiet))
    with open_instance(settings, migrate=False):
        pass
    raise typer.Exit(run_worker(settings))


def migrate() -> None:
    """Bring the database to the newest migration."""
    settings = read_settings()
    if not settings.database_url:
        prepare_home(settings)
    database = Database(settings.database)
    try:
        migration.upgrade(database)
        shown = database.engine.url.render_as_string(hide_password=True)
        typer.echo(f"{shown} is at migration {migration.newest()}", err=True)
    finally:
        database.dispose()


def _listening(host: str | None, port: int | None) -> Settings:
    settings = read_settings(host=host, port=port)
    if settings.port == 0:
        raise InvalidInput(
            "port 0 lets the system choose, which nobody could then find; name one with --port"
        )
    return settings


def _level(quiet: bool) -> int:
    return logging.WARNING if quiet else logging.INFO


def _say_address(settings: Settings) -> None:
    typer.echo(f"Eigenscope is at {address(settings)}", err=True)
