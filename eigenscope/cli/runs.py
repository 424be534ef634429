"""`eigenscope runs …`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from backend.errors import InvalidInput
from backend.http.errors import as_sentence, field_errors
from backend.runs import repository, service
from backend.runs.places import place_of
from backend.runs.presentation import RunItem, detail, items
from backend.runs.specification import RunSpecification
from eigenscope.instance import Instance, open_instance, read_settings
from eigenscope.terminal.output import millions, percent, print_json, print_table
from eigenscope.terminal.waiting import wait_for_runs

app = typer.Typer(help="Launch, list and stop runs.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RunId = Annotated[int, typer.Argument(help="The run's number.")]


def read_specification(file: Path) -> RunSpecification:
    """Read a specification from a JSON file; what is wrong is named field by field."""
    try:
        content = json.loads(file.read_text())
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} is no JSON: {error}") from None
    try:
        return RunSpecification.model_validate(content)
    except ValidationError as error:
        problems = [as_sentence(problem) for problem in field_errors(error.errors(), place_of)]
        raise InvalidInput(f"{file}: {'; '.join(problems)}") from None


@app.command("launch")
def launch(
    file: Annotated[Path, typer.Argument(help="A run specification as JSON.")],
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for its end; exit status 0 only if it succeeded.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Queue a run."""
    specification = read_specification(file)
    with open_instance(read_settings(), migrate=True) as instance:
        with instance.database.reading() as session:
            taken = service.preview(session, instance.settings, specification).weights
        for line in (str(taken), *taken.notes) if taken else ():
            typer.echo(line, err=True)
        with instance.database.writing() as session:
            run_id = service.launch(session, instance.settings, specification).id
        instance.broker.ring(run_id)
        typer.echo(f"run {run_id} is queued", err=True)
        if wait:
            _wait(instance, run_id, as_json)
        else:
            _print(instance, run_id, as_json)


@app.command("wait")
def wait(run_id: RunId, as_json: Json = False) -> None:
    """Wait for a run's end; exit status 0 only if it succeeded."""
    with open_instance(read_settings(), migrate=True) as instance:
        _wait(instance, run_id, as_json)


def _wait(instance: Instance, run_id: int, as_json: bool) -> None:
    (finished,) = wait_for_runs(instance, [run_id])
    _print(instance, run_id, as_json)
    if finished.status != "succeeded":
        typer.echo(f"eigenscope: run {run_id} {finished.status}: {finished.error or 'no error'}", err=True)
        raise typer.Exit(1)


@app.command("list")
def listing(
    archived: Annotated[bool, typer.Option("--archived", help="List archived runs too.")] = False,
    as_json: Json = False,
) -> None:
    """List the runs, newest first; archived ones are left out."""
    with open_instance(read_settings(), migrate=True) as instance, instance.database.reading() as session:
        runs, _ = repository.page(
            session,
            text="",
            status=(),
            tag="",
            dataset_id=None,
            sort="-id",
            offset=0,
            limit=1000,
            archived=archived,
        )
        found = items(session, runs)
    if as_json:
        print_json([item.model_dump(mode="json") for item in found])
    else:
        _print_items(found)


@app.command("show")
def show(run_id: RunId, as_json: Json = False) -> None:
    """Show one run."""
    with open_instance(read_settings(), migrate=True) as instance:
        _print(instance, run_id, as_json)


@app.command("cancel")
def cancel(run_id: RunId) -> None:
    """Stop a run; a running one saves a checkpoint first."""
    _act(run_id, service.cancel)


@app.command("resume")
def resume(run_id: RunId) -> None:
    """Let a stopped run go on from its last checkpoint."""
    _act(run_id, service.resume, ring=True)


@app.command("delete")
def delete(run_id: RunId) -> None:
    """Delete a run, what it measured and its files."""
    with open_instance(read_settings(), migrate=True) as instance:
        with instance.database.writing() as session:
            service.delete(session, run_id)
        service.remove_files(instance.settings, run_id)
    typer.echo(f"run {run_id} is deleted", err=True)


def _act(run_id: int, action: Any, ring: bool = False) -> None:
    with open_instance(read_settings(), migrate=True) as instance:
        with instance.database.writing() as session:
            run = action(session, run_id)
            state = "stopping" if run.stop_requested else run.status
        if ring:
            instance.broker.ring(run_id)
    typer.echo(f"run {run_id} is {state}", err=True)


def _print(instance: Instance, run_id: int, as_json: bool) -> None:
    with instance.database.reading() as session:
        found = detail(session, service.get(session, run_id))
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        _print_items([found])


def _status(run: RunItem) -> str:
    waits = f", waits for {run.waits_for}" if run.waits_for else ""
    return f"{run.status}{waits}{', archived' if run.archived else ''}"


def _print_items(found: list[RunItem] | list[Any]) -> None:
    rows = [
        [
            str(run.id),
            run.name,
            _status(run),
            f"{run.progress.iteration}/{run.progress.iterations or '?'}",
            percent(run.summary.ap if run.summary.ap is not None else run.summary.top1),
            millions(run.summary.parameters),
            str(run.summary.snapshots),
        ]
        for run in found
    ]
    columns = ("id", "name", "status", "iteration", "AP or top-1, %", "parameters", "snapshots")
    print_table(columns, rows, numeric=("id", *columns[3:]))
