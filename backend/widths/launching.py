"""Runs launched from a plan: the selected widths, and what they are compared with."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydantic import ValidationError
from sqlalchemy.orm import Session

from backend.architectures.describe import sizes
from backend.architectures.widths import resolved_widths
from backend.errors import InvalidInput
from backend.models import Run, WidthPlan, WidthPlanRun
from backend.runs import service as runs
from backend.runs.specification import RunSpecification
from backend.settings import Settings
from backend.widths.rounding import Rounding
from backend.widths.schemas import LaunchRequest, Plan, Role, WidthRequest
from backend.widths.search import Budget, Search

ALL_STAGES = 5


def launch(session: Session, settings: Settings, row: WidthPlan, request: LaunchRequest) -> list[Run]:
    """Queue the runs of a plan, all or none; the caller rings after its commit.

    They share the source's protocol but for what training from scratch demands: random first weights, all stages
    trained, and a norm that can be trained. A baseline that the source itself is already is not trained again (see
    `source_as_baseline`). Raises `InvalidInput`.
    """
    plan, source = Plan.model_validate(row.plan), RunSpecification.model_validate(row.specification)
    counted = source_as_baseline(session, row, request.norm)
    launched = []
    for role, widths in _roles(row, plan, source, request):
        for seed in request.seeds:
            if role == "baseline" and counted is not None and seed == source.training.seed:
                continue
            run = runs.launch(session, settings, _specification(row, source, role, widths, seed, request))
            session.add(WidthPlanRun(run_id=run.id, plan_id=row.id, role=role))
            launched.append(run)
    # Runs launched later beside a chain of rounds do not end it.
    before = LaunchRequest.model_validate(row.launch).rounds if row.launch else 1
    kept = request.model_copy(update={"rounds": max(before, request.rounds)})
    row.launch, row.problem = kept.model_dump(mode="json"), None
    session.flush()
    return launched


def source_as_baseline(session: Session, row: WidthPlan, norm: str | None = None) -> Run | None:
    """Return the source where it is the baseline of its own seed: from scratch, otherwise alike, and succeeded.

    Training it again would give the same run, bit by bit. None for later rounds, which have no baseline of their own.
    """
    run = session.get(Run, row.run_id) if row.run_id is not None else None
    if run is None or run.status != "succeeded" or row.previous_plan_id is not None:
        return None
    source = RunSpecification.model_validate(row.specification)
    return run if is_baseline(source, norm) else None


def is_baseline(source: RunSpecification, norm: str | None = None) -> bool:
    """Whether retraining the source as a baseline of its own seed would change nothing but its name."""
    if norm is not None and norm != source.model.norm:
        return False
    return source.init.kind == "scratch" and source.training.trainable_stages == ALL_STAGES


def uniform_widths(plan: Plan, source: RunSpecification, request: WidthRequest) -> dict[str, int]:
    """Return the source's widths, those that the plan sets all times one scale: the largest within the plan's MACs."""
    model, side = source.model, source.training.image_size
    network = sizes(
        model.architecture, model.backbone, model.norm, model.stride_in_1x1, plan.source.classes, side, side
    )
    original = resolved_widths(model.architecture, model.backbone, model.widths)
    before = np.array([original[group] for group in network.groups], np.int64)
    chosen = np.array([network.groups.index(one.group) for one in plan.groups])
    rounding = Rounding(before[chosen].astype(float), request.divisor, request.minimum)
    search = Search(network, chosen, before, rounding)
    scale = search.largest(Budget(macs=plan.totals.macs_after))
    if scale is None:
        raise InvalidInput("no uniformly scaled network has as few MACs as the plan; leave uniform out")
    return dict(zip(network.groups, search.widths(np.array([scale]))[0].tolist(), strict=True))


def _roles(
    row: WidthPlan, plan: Plan, source: RunSpecification, request: LaunchRequest
) -> Iterator[tuple[Role, dict[str, int] | None]]:
    yield "selected", plan.widths
    if request.baseline:
        yield "baseline", source.model.widths
    if request.uniform:
        yield "uniform", uniform_widths(plan, source, WidthRequest.model_validate(row.request))


def _specification(
    row: WidthPlan,
    source: RunSpecification,
    role: Role,
    widths: dict[str, int] | None,
    seed: int,
    request: LaunchRequest,
) -> RunSpecification:
    values = source.model_dump(mode="json")
    values["name"] = f"{row.plan['source']['name']}: {role} widths, seed {seed}"[-200:]
    values["tags"] = [f"plan {row.id}", role]
    values["init"] = {"kind": "scratch"}
    values["model"] |= {"widths": widths, "norm": request.norm or source.model.norm}
    values["training"] |= {"seed": seed, "trainable_stages": ALL_STAGES}
    try:
        return RunSpecification.model_validate(values)
    except ValidationError as error:
        raise InvalidInput(
            "; ".join(str(one["msg"]).removeprefix("Value error, ") for one in error.errors())
        ) from None
