"""`eigenscope demo`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from backend.settings import Settings
from eigenscope.cli.servers import Host, Port, end_on_sigterm
from eigenscope.cli.tokens import say_first_token
from eigenscope.demo.session import Outcome, carry_out, seconds_of
from eigenscope.demo.widths import WidthsOutcome, carry_out_widths
from eigenscope.instance import Instance, open_instance, read_settings
from eigenscope.processes import Children, server_and_worker, wait_while_alive
from eigenscope.server import address
from eigenscope.terminal.output import WORDS, millions, percent, print_json, print_table
from eigenscope.terminal.widths import print_plan, print_result

Play = Callable[[Instance], tuple[Outcome | WidthsOutcome, str]]
"""Carries a demonstration out and prints it; returns its outcome and the page that shows it."""


def demo(
    host: Host = None,
    port: Port = None,
    leave: Annotated[bool, typer.Option("--exit", help="End when the runs have ended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON last.")] = False,
    widths: Annotated[
        bool, typer.Option("--widths", help="Instead: choose widths from a detector's spectra and retrain.")
    ] = False,
) -> None:
    """Run the paper in miniature on generated data, and serve it."""
    settings = read_settings(host=host, port=port)
    end_on_sigterm()
    try:
        outcome = _demo(settings, leave, as_json, _widths if widths else _pretraining)
    except KeyboardInterrupt:
        typer.echo("ended; `eigenscope up` serves what there is", err=True)
        raise typer.Exit(130) from None
    if not outcome.succeeded:
        raise typer.Exit(1)


def _demo(settings: Settings, leave: bool, as_json: bool, play: Play) -> Outcome | WidthsOutcome:
    with open_instance(settings, migrate=True) as instance:
        say_first_token(instance)
        with server_and_worker(settings) as children:
            return _played(instance, children, leave, as_json, play)


def _played(
    instance: Instance, children: Children, leave: bool, as_json: bool, play: Play
) -> Outcome | WidthsOutcome:
    settings = instance.settings
    WORDS.print(f"Eigenscope is at {address(settings)} — open it and watch")
    outcome, page = play(instance)
    if as_json:
        print_json(outcome.as_json())
    if not leave:
        WORDS.print(f"still serving: {address(settings)}{page}   (Ctrl+C ends)", markup=False)
        wait_while_alive(children)
    return outcome


def _pretraining(instance: Instance) -> tuple[Outcome, str]:
    outcome = carry_out(instance)
    _print_outcome(outcome)
    return outcome, f"/compare?runs={','.join(str(run.id) for run in outcome.runs[1:])}"


def _widths(instance: Instance) -> tuple[WidthsOutcome, str]:
    outcome = carry_out_widths(instance)
    if outcome.plan is not None and outcome.result is not None:
        print_plan(outcome.plan)
        print_result(outcome.result)
    for run in outcome.runs:
        if run.error:
            WORDS.print(f"{run.name}: {run.error}", markup=False)
    WORDS.print(f"{outcome.seconds:.0f} s in all", markup=False)
    return outcome, f"/widths/{outcome.result.plan_id}" if outcome.result else "/"


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
