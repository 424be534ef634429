"""`eigenscope demo`."""

from __future__ import annotations

from typing import Annotated

import typer

from backend.settings import Settings
from eigenscope.cli.servers import Host, Port, end_on_sigterm
from eigenscope.demo.session import Outcome, carry_out, seconds_of
from eigenscope.instance import open_instance, prepare_home, read_settings, with_token
from eigenscope.processes import server_and_worker, wait_while_alive
from eigenscope.server import address
from eigenscope.terminal.output import WORDS, millions, percent, print_json, print_table


def demo(
    host: Host = None,
    port: Port = None,
    leave: Annotated[bool, typer.Option("--exit", help="End when the runs have ended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON last.")] = False,
) -> None:
    """Run the paper in miniature on generated data, and serve it."""
    settings = read_settings(host=host, port=port)
    prepare_home(settings)
    settings, _ = with_token(settings)
    end_on_sigterm()
    try:
        outcome = _demo(settings, leave, as_json)
    except KeyboardInterrupt:
        typer.echo("ended; `eigenscope up` serves what there is", err=True)
        raise typer.Exit(130) from None
    if not outcome.succeeded:
        raise typer.Exit(1)


def _demo(settings: Settings, leave: bool, as_json: bool) -> Outcome:
    with open_instance(settings, migrate=True) as instance, server_and_worker(settings) as children:
        WORDS.print(f"Eigenscope is at {address(settings)} — open it and watch")
        outcome = carry_out(instance)
        _print_outcome(outcome)
        if as_json:
            print_json(outcome.as_json())
        if not leave:
            _say_where(settings, outcome)
            wait_while_alive(children)
        return outcome


def _say_where(settings: Settings, outcome: Outcome) -> None:
    ids = ",".join(str(run.id) for run in outcome.runs[1:])
    WORDS.print(f"still serving: {address(settings)}/compare?runs={ids}   (Ctrl+C ends)", markup=False)


def _print_outcome(outcome: Outcome) -> None:
    rows = []
    for run in outcome.runs:
        result = run.summary.top1 if run.architecture == "classifier" else run.summary.ap
        seconds = seconds_of(run)
        rows.append(
            [
                run.name,
                run.status,
                percent(result) + (" (top-1)" if run.architecture == "classifier" else ""),
                millions(run.summary.parameters),
                str(run.summary.snapshots),
                str(run.summary.layers),
                "–" if seconds is None else f"{seconds:.0f}",
            ]
        )
    columns = ("run", "status", "AP, %", "parameters", "snapshots", "layers", "seconds")
    print_table(columns, rows, numeric=columns[2:])
    for run in outcome.runs:
        if run.error:
            WORDS.print(f"{run.name}: {run.error}", markup=False)
    WORDS.print(f"{outcome.seconds:.0f} s in all", markup=False)
