"""`eigenscope widths …`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from pydantic import BaseModel, ValidationError

from backend.errors import InvalidInput
from backend.http.errors import as_sentence, field_errors
from backend.models import Run
from backend.widths import repository, service
from backend.widths.launching import launch, source_as_baseline
from backend.widths.result import result
from backend.widths.schemas import LaunchRequest, Plan, WidthRequest
from backend.widths.snippet import snippet
from eigenscope.instance import Instance, open_instance, read_settings
from eigenscope.terminal.output import print_json, print_table
from eigenscope.terminal.waiting import wait_for_runs
from eigenscope.terminal.widths import print_plan, print_result

app = typer.Typer(help="Choose a detector's widths from its spectra, and retrain.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PlanId = Annotated[int, typer.Argument(help="The plan's number.")]


def described(model: type[BaseModel], name: str) -> str:
    """Return what a field of a request means: the API and the command line say the same."""
    return model.model_fields[name].description or ""


def request_of(model: type[BaseModel], values: dict[str, Any]) -> Any:
    """Return a request of the values; what is wrong is named option by option."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InvalidInput(
            "; ".join(as_sentence(problem) for problem in field_errors(error.errors()))
        ) from None


@app.command("plan")
def plan(
    run_id: Annotated[int, typer.Argument(metavar="RUN", help=described(WidthRequest, "run_id"))],
    also: Annotated[list[int] | None, typer.Option(help=described(WidthRequest, "also"))] = None,
    iteration: Annotated[int | None, typer.Option(help=described(WidthRequest, "iteration"))] = None,
    criterion: Annotated[str, typer.Option(help=described(WidthRequest, "criterion"))] = "absolute",
    threshold: Annotated[float | None, typer.Option(help=described(WidthRequest, "threshold"))] = None,
    budget: Annotated[float, typer.Option(help=described(WidthRequest, "budget"))] = 1.0,
    parameters_budget: Annotated[
        float | None, typer.Option(help=described(WidthRequest, "parameters_budget"))
    ] = None,
    tie: Annotated[str, typer.Option(help=described(WidthRequest, "tie"))] = "max",
    divisor: Annotated[int, typer.Option(help=described(WidthRequest, "divisor"))] = 8,
    minimum: Annotated[int, typer.Option(help=described(WidthRequest, "minimum"))] = 8,
    cap: Annotated[bool, typer.Option("--cap", help=described(WidthRequest, "cap"))] = False,
    include: Annotated[list[str] | None, typer.Option(help=described(WidthRequest, "include"))] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Print the plan and store nothing.")] = False,
    retrain: Annotated[bool, typer.Option("--retrain", help="Launch the retraining.")] = False,
    seed: Annotated[
        list[int] | None, typer.Option(help="With --retrain: a run for each; give it several times.")
    ] = None,
    baseline: Annotated[bool, typer.Option("--baseline", help=described(LaunchRequest, "baseline"))] = False,
    uniform: Annotated[bool, typer.Option("--uniform", help=described(LaunchRequest, "uniform"))] = False,
    norm: Annotated[str | None, typer.Option(help=described(LaunchRequest, "norm"))] = None,
    rounds: Annotated[int, typer.Option(help=described(LaunchRequest, "rounds"))] = 1,
    wait: Annotated[
        bool, typer.Option("--wait", help="With --retrain: wait, then print the result.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Choose widths from a run's spectra: w = round(s · dimensionality), with the largest s within the budget."""
    values = {
        "run_id": run_id,
        "also": also or (),
        "iteration": iteration,
        "criterion": criterion,
        "threshold": threshold,
        "budget": budget,
        "parameters_budget": parameters_budget,
        "tie": tie,
        "divisor": divisor,
        "minimum": minimum,
        "cap": cap,
        "include": include or (),
    }
    request = request_of(WidthRequest, values)
    more = {"seeds": seed or (0,), "baseline": baseline, "uniform": uniform, "norm": norm, "rounds": rounds}
    launched = request_of(LaunchRequest, more) if retrain else None
    if preview and retrain:
        raise InvalidInput(
            "--preview stores nothing that could be retrained; leave out --preview or --retrain"
        )
    if wait and not retrain:
        raise InvalidInput("--wait waits for a retraining; add --retrain")
    with open_instance(read_settings(), migrate=True) as instance:
        if preview:
            _preview(instance, request, as_json)
        else:
            plan_id, run_ids = _store(instance, request, launched)
            _tell(instance, plan_id, run_ids, wait, as_json)


def _preview(instance: Instance, request: WidthRequest, as_json: bool) -> None:
    with instance.database.reading() as session:
        made, _ = service.plan(session, request)
    if as_json:
        print_json(made.model_dump(mode="json"))
    else:
        print_plan(made)


def _store(
    instance: Instance, request: WidthRequest, launched: LaunchRequest | None
) -> tuple[int, list[int]]:
    """Store a plan and queue its runs: both or nothing."""
    with instance.database.writing() as session:
        row = service.store(session, request)
        runs = launch(session, instance.settings, row, launched) if launched else []
        if launched and launched.baseline:
            _tell_of_the_source(source_as_baseline(session, row, launched.norm), launched)
        plan_id, run_ids = row.id, [run.id for run in runs]
    for run_id in run_ids:
        instance.broker.ring(run_id)
    return plan_id, run_ids


def _tell_of_the_source(counted: Run | None, launched: LaunchRequest) -> None:
    if counted is not None and counted.specification["training"]["seed"] in launched.seeds:
        seed = counted.specification["training"]["seed"]
        typer.echo(f"run {counted.id}, the source, counts as the baseline of seed {seed}", err=True)


def _tell(instance: Instance, plan_id: int, run_ids: list[int], wait: bool, as_json: bool) -> None:
    typer.echo(f"plan {plan_id} is stored", err=True)
    if run_ids:
        typer.echo(f"runs {', '.join(map(str, run_ids))} are queued", err=True)
    if not wait:
        _show(instance, plan_id, as_json)
        return
    finished = wait_for_runs(instance, run_ids)
    _result(instance, plan_id, as_json)
    failed = [run for run in finished if run.status != "succeeded"]
    if failed:
        typer.echo(
            f"eigenscope: run {failed[0].id} {failed[0].status}: {failed[0].error or 'no error'}", err=True
        )
        raise typer.Exit(1)


@app.command("list")
def listing(as_json: Json = False) -> None:
    """List the plans, newest first."""
    with open_instance(read_settings(), migrate=True) as instance, instance.database.reading() as session:
        rows, _ = repository.page(session, None, 0, 1000)
        found = service.items(session, rows)
    if as_json:
        print_json([item.model_dump(mode="json") for item in found])
        return
    table = [
        [
            str(item.id),
            item.plan.source.name,
            str(item.plan.source.iteration),
            item.plan.source.criterion,
            f"{100 * item.plan.totals.backbone_parameters_ratio:.1f}",
            f"{100 * item.plan.totals.macs_ratio:.1f}",
            str(len(item.runs)),
        ]
        for item in found
    ]
    columns = ("id", "source", "iteration", "criterion", "backbone parameters, %", "MACs, %", "runs")
    print_table(columns, table, numeric=("id", "iteration", *columns[4:]))


@app.command("show")
def show(plan_id: PlanId, as_json: Json = False) -> None:
    """Show a plan: widths before and after, parameters and MACs."""
    with open_instance(read_settings(), migrate=True) as instance:
        _show(instance, plan_id, as_json)


@app.command("result")
def outcome(plan_id: PlanId, as_json: Json = False) -> None:
    """Show what came of a plan: source, baseline, uniform and selected networks side by side."""
    with open_instance(read_settings(), migrate=True) as instance:
        _result(instance, plan_id, as_json)


@app.command("snippet")
def code(plan_id: PlanId) -> None:
    """Print Python that builds torchvision's network with the plan's widths."""
    with open_instance(read_settings(), migrate=True) as instance, instance.database.reading() as session:
        typer.echo(snippet(plan_id, Plan.model_validate(service.get(session, plan_id).plan)), nl=False)


def _show(instance: Instance, plan_id: int, as_json: bool) -> None:
    with instance.database.reading() as session:
        (item,) = service.items(session, [service.get(session, plan_id)])
    if as_json:
        print_json(item.model_dump(mode="json"))
    else:
        print_plan(item.plan)


def _result(instance: Instance, plan_id: int, as_json: bool) -> None:
    with instance.database.reading() as session:
        found = result(session, service.get(session, plan_id))
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        print_result(found)
