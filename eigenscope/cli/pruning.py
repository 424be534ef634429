"""`eigenscope prune`: retention, always shown before it is done."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from backend.errors import InvalidInput
from backend.keeping.pruning import Plan, Rules, carry_out, plan
from backend.settings import Settings
from eigenscope.instance import open_instance, read_settings
from eigenscope.terminal.output import megabytes, print_json, print_table


def prune_command(
    checkpoints_days: Annotated[
        float | None,
        typer.Option(min=0, help="Of runs that succeeded so long ago keep only best and last checkpoint."),
    ] = None,
    archived_days: Annotated[
        float | None, typer.Option(min=0, help="Delete archived runs that ended so long ago.")
    ] = None,
    budget_gb: Annotated[
        float | None, typer.Option(min=0, help="Let the checkpoints of all runs take no more (10⁹ bytes).")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without, it is only shown.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what the rules of retention would delete, with sizes; delete it only with --yes."""
    settings = read_settings()
    rules = _rules(settings, checkpoints_days, archived_days, budget_gb)
    with open_instance(settings, migrate=True) as instance:
        if yes:
            found = carry_out(instance.database, settings, rules)
        else:
            with instance.database.reading() as session:
                found = plan(session, rules)
    if as_json:
        items = [asdict(item) for item in found.items]
        print_json(
            {
                "deleted": yes,
                "items": items,
                "freed": found.freed,
                "taken": found.taken,
                "over": found.over_budget,
            }
        )
    else:
        _show(found)
    _say(found, rules, yes)


def _rules(
    settings: Settings, checkpoints_days: float | None, archived_days: float | None, budget_gb: float | None
) -> Rules:
    """Return the rules: an option counts before the setting."""
    rules = Rules(
        settings.keep_checkpoints_days if checkpoints_days is None else checkpoints_days,
        settings.keep_archived_days if archived_days is None else archived_days,
        settings.checkpoints_gb if budget_gb is None else budget_gb,
    )
    if rules == Rules():
        raise InvalidInput(
            "no rule is set; give --checkpoints-days, --archived-days or --budget-gb, or set "
            "EIGENSCOPE_KEEP_CHECKPOINTS_DAYS, EIGENSCOPE_KEEP_ARCHIVED_DAYS or EIGENSCOPE_CHECKPOINTS_GB"
        )
    return rules


def _show(found: Plan) -> None:
    rows = [
        [
            "whole run" if item.iteration is None else f"checkpoint {item.iteration}",
            str(item.run_id),
            item.name,
            megabytes(item.bytes),
            item.why,
        ]
        for item in found.items
    ]
    if rows:
        print_table(("what", "run", "name", "size", "why"), rows, numeric=("run", "size"))


def _say(found: Plan, rules: Rules, done: bool) -> None:
    count, size = len(found.items), megabytes(found.freed)
    if not count:
        typer.echo("the rules delete nothing", err=True)
    elif done:
        typer.echo(f"{count} deleted, {size} freed", err=True)
    else:
        typer.echo(f"{count} would be deleted and {size} freed; --yes deletes them", err=True)
    if found.over_budget:
        typer.echo(
            f"{megabytes(found.over_budget)} above the budget of {rules.budget_gb:g} GB stay: last checkpoints, and "
            "those that other runs or plans need; delete runs to free more",
            err=True,
        )
