"""Make, store and show plans of widths."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from pydantic import ValidationError
from sqlalchemy.orm import Session

from backend.errors import Conflict, InvalidInput, NotFound
from backend.models import Dataset, Run, WidthPlan
from backend.runs import service as runs
from backend.runs.specification import ModelSpecification, RunSpecification
from backend.widths import repository
from backend.widths.doubts import doubts
from backend.widths.evidence import averaged, chosen_iteration, measured, threshold_of
from backend.widths.groups import measured_groups
from backend.widths.rule_doubts import doubted_saving, rule_doubts
from backend.widths.schemas import (
    GroupItem,
    LaunchedRun,
    LaunchRequest,
    Plan,
    Source,
    StageItem,
    Totals,
    WidthPlanItem,
    WidthRequest,
)
from backend.widths.selection import PlannedStage, Rule, Selection, select


def plan(session: Session, request: WidthRequest) -> tuple[Plan, RunSpecification]:
    """Return the plan and its source's specification; stores nothing. Raises `NotFound` and `InvalidInput`."""
    threshold = threshold_of(request.criterion, request.threshold)
    run, specification = _source(session, request.run_id)
    iteration = chosen_iteration(session, run.id, request.iteration)
    found = [measured(session, run.id, iteration, request.criterion, threshold)]
    snapshots = [(run, iteration)]
    for other in _others(session, request, specification.model):
        at = chosen_iteration(session, other.id, request.iteration)
        found.append(measured(session, other.id, at, request.criterion, threshold))
        snapshots.append((other, at))
    model = specification.model
    groups = measured_groups(
        model.architecture, model.backbone, request.include, averaged(found), request.tie
    )
    classes, side = _classes(session, run), specification.training.image_size
    selection = select(model, classes, side, groups, _rule(request))
    source = Source(
        run_id=run.id,
        name=run.name,
        seed=specification.training.seed,
        also=list(request.also),
        iteration=iteration,
        criterion=request.criterion,
        threshold=threshold,
        architecture=model.architecture,
        backbone=model.backbone,
        image_size=side,
        classes=classes,
        version=version("eigenscope"),
    )
    warnings = doubts(session, snapshots, groups, request.criterion, threshold)
    made = _answer(source, selection, warnings)
    return _with_rule_doubts(made, specification), specification


def store(session: Session, request: WidthRequest, previous: int | None = None) -> WidthPlan:
    """Make a plan and keep it; `previous` is the plan of the round before."""
    made, specification = plan(session, request)
    row = WidthPlan(
        run_id=request.run_id,
        request=request.model_dump(mode="json"),
        plan=made.model_dump(mode="json"),
        specification=specification.model_dump(mode="json"),
        previous_plan_id=previous,
    )
    session.add(row)
    session.flush()
    return row


def get(session: Session, plan_id: int) -> WidthPlan:
    """Return a plan; raises `NotFound`."""
    found = repository.get(session, plan_id)
    if found is None:
        raise NotFound(f"there is no width plan {plan_id}; list them to see what there is")
    return found


def delete(session: Session, plan_id: int) -> None:
    """Remove a plan; raises `Conflict` while runs launched from it train or wait."""
    row = get(session, plan_id)
    busy = [
        run.id
        for run, _ in repository.launched(session, [plan_id])[plan_id]
        if run.status in ("queued", "running")
    ]
    if busy:
        raise Conflict(
            f"width plan {plan_id} has runs under way ({', '.join(map(str, busy))}); cancel them first"
        )
    session.delete(row)
    session.flush()


def items(session: Session, rows: Sequence[WidthPlan]) -> list[WidthPlanItem]:
    """Present plans with a fixed number of queries."""
    ids = [row.id for row in rows]
    launched, following = repository.launched(session, ids), repository.following(session, ids)
    return [
        WidthPlanItem(
            id=row.id,
            created_at=row.created_at,
            run_id=row.run_id,
            request=WidthRequest.model_validate(row.request),
            plan=Plan.model_validate(row.plan),
            launch=LaunchRequest.model_validate(row.launch) if row.launch else None,
            previous_plan_id=row.previous_plan_id,
            next_plan_id=following.get(row.id),
            problem=row.problem,
            waits_for=[] if row.id in following else _waits_for(row, launched[row.id]),
            runs=[_launched(run, role) for run, role in launched[row.id]],
        )
        for row in rows
    ]


def _waits_for(row: WidthPlan, launched: Sequence[tuple[Run, str]]) -> list[int]:
    if row.launch is None or LaunchRequest.model_validate(row.launch).rounds == 1:
        return []
    return [
        run.id
        for run, role in launched
        if role == "selected" and run.status in ("failed", "cancelled", "lost")
    ]


def _launched(run: Run, role: str) -> LaunchedRun:
    seed = run.specification["training"]["seed"]
    return LaunchedRun.model_validate({"run_id": run.id, "role": role, "seed": seed, "status": run.status})


def _source(session: Session, run_id: int) -> tuple[Run, RunSpecification]:
    run = runs.get(session, run_id)
    if run.origin != "launched":
        raise InvalidInput(
            f"run {run_id} was recorded from somebody's own training, whose network is not known here; take a launched "
            "run"
        )
    try:
        return run, RunSpecification.model_validate(run.specification)
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise InvalidInput(
            f"the settings of run {run_id} do not hold together any more ({reason}); take another run"
        ) from None


def _others(session: Session, request: WidthRequest, model: ModelSpecification) -> list[Run]:
    others = []
    for run_id in dict.fromkeys(request.also):
        if run_id == request.run_id:
            continue
        run, specification = _source(session, run_id)
        if specification.model != model:
            raise InvalidInput(
                f"also: run {run_id} trained another network than run {request.run_id} (architecture, backbone, norm, "
                "stride_in_1x1 and widths must be the same); leave it out"
            )
        others.append(run)
    return others


def _classes(session: Session, run: Run) -> int:
    dataset = session.get(Dataset, run.dataset_id)
    if dataset is None:
        raise NotFound(f"the dataset of run {run.id} is gone; register it again")
    return len(dataset.categories)


def _rule(request: WidthRequest) -> Rule:
    return Rule(request.budget, request.parameters_budget, request.divisor, request.minimum, request.cap)


def _answer(source: Source, selection: Selection, warnings: list[str]) -> Plan:
    return Plan(
        source=source,
        scale=selection.scale,
        groups=[
            GroupItem(
                group=one.group.name,
                layers=list(one.group.layers),
                dimensionality=one.group.dimensionality,
                positions_per_channel=one.group.positions_per_channel,
                original=one.original,
                width=one.width,
            )
            for one in selection.groups
        ],
        stages=[
            StageItem(
                name=stage.name,
                parameters_before=stage.parameters[0],
                parameters_after=stage.parameters[1],
                macs_before=stage.macs[0],
                macs_after=stage.macs[1],
            )
            for stage in selection.stages
        ],
        totals=_totals(selection.stages),
        widths=selection.widths,
        warnings=warnings,
    )


def _with_rule_doubts(made: Plan, specification: RunSpecification) -> Plan:
    return made.model_copy(
        update={
            "warnings": [*made.warnings, *rule_doubts(made)],
            "doubted_saving": doubted_saving(made, specification),
        }
    )


def _totals(stages: Sequence[PlannedStage]) -> Totals:
    body = [stage for stage in stages if stage.name == "stem" or stage.name.startswith("layer")]
    p0, p1 = (sum(stage.parameters[k] for stage in stages) for k in (0, 1))
    b0, b1 = (sum(stage.parameters[k] for stage in body) for k in (0, 1))
    m0, m1 = (sum(stage.macs[k] for stage in stages) for k in (0, 1))
    return Totals(
        parameters_before=p0,
        parameters_after=p1,
        backbone_parameters_before=b0,
        backbone_parameters_after=b1,
        macs_before=m0,
        macs_after=m1,
        parameters_ratio=p1 / p0,
        backbone_parameters_ratio=b1 / b0,
        macs_ratio=m1 / m0,
    )
