"""How far two runs' accuracies are apart, and how far seeds alone are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.comparison.schemas import Accuracy, Seeds
from backend.models import Metric, Run

ALIKE: Final = 0.01
ALIKE_SHARE: Final = 0.05
"""Accuracies no farther apart than one point, and no more than a twentieth of the higher, are called alike."""
SEEDS_AT_MOST: Final = 200
"""Runs on the same data, newest first, among which others of the same settings are looked for."""
IRRELEVANT: Final = (
    "name",
    "tags",
    "resources",
    "probe",
    "checkpoint_every",
    "checkpoint_keep",
    "checkpoint_budget",
)
"""Parts of a specification that change nothing of what is trained."""

Measure = Literal["ap", "top1"]


def compared_accuracy(session: Session, first: Run, second: Run) -> Accuracy | None:
    """Return both accuracies at the progress that both have reached; None where there is no measure of both."""
    progress = min(_progress(first), _progress(second))
    found = [_evaluations(session, run, progress) for run in (first, second)]
    for measure in ("ap", "top1"):
        if measure in found[0] and measure in found[1]:
            return _accuracy(session, (first, second), measure, found[0][measure], found[1][measure])
    return None


def _progress(run: Run) -> float:
    return 1.0 if run.status == "succeeded" or not run.iterations else run.iteration / run.iterations


def _evaluations(session: Session, run: Run, progress: float) -> dict[str, tuple[int, float]]:
    """Return (iteration, value) of each measure's last evaluation not after the progress."""
    query = select(Metric.name, Metric.iteration, Metric.value).where(
        Metric.run_id == run.id, Metric.name.in_(("ap", "top1")), Metric.value.is_not(None)
    )
    if progress < 1 and run.iterations:
        query = query.where(Metric.iteration <= progress * run.iterations + 0.5)
    rows = session.execute(query.order_by(Metric.iteration)).all()
    return {name: (iteration, value) for name, iteration, value in rows if value is not None}


def _accuracy(
    session: Session, runs: tuple[Run, Run], measure: Measure, *found: tuple[int, float]
) -> Accuracy:
    seeds = [_seeds(session, run, measure) for run in runs]
    (first_iteration, first), (second_iteration, second) = found
    spread = max((one.highest - one.lowest for one in seeds if one), default=0.0)
    return Accuracy(
        measure=measure,
        first=first,
        second=second,
        first_iteration=first_iteration,
        second_iteration=second_iteration,
        first_seeds=seeds[0],
        second_seeds=seeds[1],
        alike=abs(first - second) <= max(min(ALIKE, ALIKE_SHARE * max(first, second)), spread) + 1e-12,
    )


def _seeds(session: Session, run: Run, measure: Measure) -> Seeds | None:
    """Return the run with its like: a tag shared, every setting but the seed equal, and an accuracy at the end."""
    if run.dataset_id is None or not run.tags:
        return None
    value = getattr(Run, measure)
    query = (
        select(Run.id, Run.tags)
        .where(Run.dataset_id == run.dataset_id, Run.status == "succeeded", value.is_not(None))
        .order_by(Run.id.desc())
        .limit(SEEDS_AT_MOST)
    )
    # Of a thousand runs few share a tag, and only theirs are worth taking apart.
    tagged = [run_id for run_id, tags in session.execute(query) if set(tags) & set(run.tags)]
    likely = select(Run.id, Run.specification, value).where(Run.id.in_(tagged))
    same = _apart_from_seed(run.specification)
    found = {
        run_id: accuracy
        for run_id, specification, accuracy in session.execute(likely)
        if _apart_from_seed(specification) == same
    }
    if run.id not in found or len(found) < 2:
        return None
    return Seeds(run_ids=sorted(found), lowest=min(found.values()), highest=max(found.values()))


def _apart_from_seed(specification: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in specification.items() if name not in IRRELEVANT}
    kept["training"] = {name: value for name, value in kept.get("training", {}).items() if name != "seed"}
    return json.dumps(kept, sort_keys=True)
