"""What came of a plan: the networks side by side, over their seeds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.models import Metric, Run, WidthPlan
from backend.runs.cost import architecture_of
from backend.runs.specification import RunSpecification
from backend.widths import repository
from backend.widths.latency import BYTES, SECONDS, THREADS, TOGETHER, Latency, latency
from backend.widths.launching import source_as_baseline
from backend.widths.schemas import Plan

PAPER_PARAMETERS = 0.73
"""Of the backbone, that the paper's selected ResNet-50 keeps."""
MEASURES = ("ap", "mask_ap", "top1")

Kind = Literal["source", "baseline", "uniform", "selected"]


class Spread(BaseModel):
    """Mean and standard deviation (None for one value) over so many seeds."""

    mean: float
    deviation: float | None
    seeds: int


class ResultRow(BaseModel):
    """One network of the comparison; a number is null until a run has it."""

    role: Kind
    run_ids: list[int]
    statuses: list[str]
    ap: Spread | None
    mask_ap: Spread | None
    top1: Spread | None
    parameters: int | None
    backbone_parameters: int | None
    macs: int | None
    forward_seconds: Spread | None
    forward_bytes: Spread | None


class Verdict(BaseModel):
    """The paper's line, part by part; null until the runs are there."""

    parameters: bool
    """At most 73 % of the source's backbone parameters."""
    macs: bool
    """At most the source's MACs."""
    accuracy: bool | None
    """The selected networks' mean is not below the baseline's by more than the spread over the baseline's seeds.

    Null also where a difference is known and decides nothing: one side has one seed, or the mean is lower by less than
    the selected networks' own spread. Null too where the baseline's mean is zero, which no network could be below.
    """
    difference: float | None
    """Of the means of AP (or top-1), selected less baseline."""
    spread: float | None
    """Standard deviation over the baseline's seeds; null for one seed, whose spread is unknown."""
    measure: str | None


class Result(BaseModel):
    """A plan's outcome."""

    plan_id: int
    rows: list[ResultRow]
    verdict: Verdict
    latency: Latency
    """How `forward_seconds` were measured, and whether they may be compared."""
    source_counts: bool = False
    """Whether the source stands among the baselines too, as the one of its own seed."""


def result(session: Session, row: WidthPlan) -> Result:
    """Return the table of a plan; runs that have not ended are in it with what they have."""
    launched = repository.launched(session, [row.id])[row.id]
    source = session.get(Run, row.run_id) if row.run_id is not None else None
    by_role: dict[Kind, list[Run]] = {"source": [source] if source is not None else []}
    for role in ("baseline", "uniform", "selected"):
        by_role[role] = [run for run, its in launched if its == role]
    plan = Plan.model_validate(row.plan)
    counted = _counted_source(session, row, by_role)
    if counted is not None:
        by_role["baseline"] = [counted, *by_role["baseline"]]
    every = list({run.id: run for runs in by_role.values() for run in runs}.values())
    forward = _forward(session, [run.id for run in every])
    rows = [_row(role, runs, forward, plan.source.classes) for role, runs in by_role.items() if runs]
    return Result(
        plan_id=row.id,
        rows=rows,
        verdict=_verdict(plan, rows),
        latency=latency(source, [run for run, _ in launched], forward),
        source_counts=counted is not None,
    )


def _counted_source(session: Session, row: WidthPlan, by_role: dict[Kind, list[Run]]) -> Run | None:
    """Return the source where it counts as a baseline; where its seed was trained again, that run counts."""
    if not by_role["selected"] and not by_role["baseline"]:
        return None
    norms = {run.specification["model"]["norm"] for run in (*by_role["baseline"], *by_role["selected"])}
    source = source_as_baseline(session, row)
    if source is None or norms != {source.specification["model"]["norm"]}:
        return None
    seeds = {run.specification["training"]["seed"] for run in by_role["baseline"]}
    return None if source.specification["training"]["seed"] in seeds else source


def _forward(session: Session, run_ids: Sequence[int]) -> dict[tuple[int, str], float]:
    measured = Metric.name.in_((SECONDS, BYTES, THREADS)) | Metric.name.startswith(TOGETHER)
    query = (
        select(Metric.run_id, Metric.name, Metric.value)
        .where(Metric.run_id.in_(run_ids), measured)
        .order_by(Metric.iteration)
    )
    return {(run_id, name): value for run_id, name, value in session.execute(query) if value is not None}


def _row(role: Kind, runs: Sequence[Run], forward: dict[tuple[int, str], float], classes: int) -> ResultRow:
    parameters, backbone_parameters, macs = _sizes(runs[-1], classes)
    return ResultRow(
        role=role,
        run_ids=[run.id for run in runs],
        statuses=[run.status for run in runs],
        parameters=parameters,
        backbone_parameters=backbone_parameters,
        macs=macs,
        **{
            name: _spread([getattr(run, name) for run in runs if run.status == "succeeded"])
            for name in MEASURES
        },
        **{name: _spread([forward.get((run.id, name)) for run in runs]) for name in (SECONDS, BYTES)},
    )


def _sizes(run: Run, classes: int) -> tuple[int | None, int | None, int | None]:
    """Return parameters, those of the backbone and MACs: as its trainer found them, before it starts as they follow
    from its settings.
    """
    if run.parameters is not None:
        return run.parameters, run.backbone_parameters, run.macs
    found = architecture_of(RunSpecification.model_validate(run.specification), classes)
    return found.parameters, found.backbone_parameters, found.macs


def _spread(values: Sequence[float | None]) -> Spread | None:
    found = [value for value in values if value is not None]
    if not found:
        return None
    deviation = statistics.stdev(found) if len(found) > 1 else None
    return Spread(mean=statistics.fmean(found), deviation=deviation, seeds=len(found))


def _verdict(plan: Plan, rows: Sequence[ResultRow]) -> Verdict:
    selected, baseline = (
        next((row for row in rows if row.role == role), None) for role in ("selected", "baseline")
    )
    found = _shared_measure(selected, baseline)
    measure, one, other = found or (None, None, None)
    return Verdict(
        parameters=plan.totals.backbone_parameters_ratio <= PAPER_PARAMETERS,
        macs=plan.totals.macs_after <= plan.totals.macs_before,
        accuracy=None if one is None or other is None else _decided(one, other),
        difference=None if one is None or other is None else one.mean - other.mean,
        spread=other and other.deviation,
        measure=measure,
    )


def _decided(selected: Spread, baseline: Spread) -> bool | None:
    """Return whether the selected networks are not below the baseline; None where their seeds cannot tell."""
    if selected.deviation is None or baseline.deviation is None:
        return None
    difference = selected.mean - baseline.mean
    if difference >= -baseline.deviation:
        return True
    return None if difference >= -selected.deviation else False


def _shared_measure(
    selected: ResultRow | None, baseline: ResultRow | None
) -> tuple[str, Spread, Spread] | None:
    """Return the measure that both networks have, with both; a measure in which the baseline has nothing is none."""
    if selected is None or baseline is None:
        return None
    for name in ("mask_ap", "ap", "top1"):
        one: Spread | None = getattr(selected, name)
        other: Spread | None = getattr(baseline, name)
        # A baseline that finds nothing at all has nothing to lose: no network is judged by it.
        if one is not None and other is not None and other.mean > 0:
            return name, one, other
    return None
