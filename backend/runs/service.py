"""What may be done with runs."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from sqlalchemy import delete as sql_delete
from sqlalchemy.orm import Session

from backend.database import clock
from backend.errors import Conflict, InvalidInput, NotFound
from backend.models import Checkpoint, Dataset, Layer, LogLine, Metric, MetricSummary, Prediction, Run
from backend.runs import cost, initialisation, queue, repository, waiting
from backend.runs.estimate import estimate
from backend.runs.presentation import actions_by_status
from backend.runs.protocols import COCO_IMAGES
from backend.runs.specification import RunInit, RunSpecification
from backend.runs.suitability import dataset_problem
from backend.settings import Settings
from backend.weights.report import WeightsReport, report


def get(session: Session, run_id: int) -> Run:
    """Return the run or say that there is none."""
    run = repository.get(session, run_id)
    if run is None:
        raise NotFound(f"there is no run {run_id}; it may have been deleted")
    return run


def launch(session: Session, settings: Settings, specification: RunSpecification) -> Run:
    """Check the specification against what exists and queue it. The caller rings after its commit."""
    dataset = _dataset(session, specification)
    cost.cost(specification, dataset)
    _first_weights(session, settings, specification, len(dataset.categories))
    run = Run(
        name=specification.name or default_name(specification, dataset.name),
        tags=list(specification.tags),
        specification=specification.model_dump(mode="json"),
        dataset_id=dataset.id,
        parent_run_id=specification.init.run_id if isinstance(specification.init, RunInit) else None,
        priority=specification.resources.priority,
        iterations=specification.training.iterations,
        queued_at=clock(session),
    )
    session.add(run)
    session.flush()
    return run


def launch_together(
    session: Session, settings: Settings, specifications: Sequence[RunSpecification]
) -> list[Run]:
    """Queue several runs, all or none: where one is refused, the caller's transaction leaves nothing behind."""
    launched = []
    for number, specification in enumerate(specifications, start=1):
        try:
            launched.append(launch(session, settings, specification))
        except InvalidInput as error:
            raise InvalidInput(f"run {number} of {len(specifications)}: {error}; none is queued") from None
    return launched


def default_name(specification: RunSpecification, dataset: str) -> str:
    """Return a name that tells runs apart: backbone, dataset, initialisation."""
    model = specification.model
    kind = model.backbone if model.architecture == "classifier" else f"{model.architecture} {model.backbone}"
    return f"{dataset} {kind} {specification.init.kind}"[:200]


def preview(session: Session, settings: Settings, specification: RunSpecification) -> cost.Cost:
    """Return what the run would cost; refuse what `launch` would refuse."""
    dataset = _dataset(session, specification)
    found = cost.cost(specification, dataset)
    weights = _first_weights(session, settings, specification, len(dataset.categories))
    time = estimate(session, specification, dataset, found.macs)
    lack = waiting.lack_of_gpus(session, settings, specification.resources.gpus)
    # First of all: nothing happens at all until such a worker comes.
    warnings = (
        [f"resources.gpus: {lack}, or set it to 0 or leave it empty.", *found.warnings]
        if lack
        else found.warnings
    )
    return found.model_copy(update={"weights": weights, "time": time, "warnings": warnings})


def training_images(session: Session, dataset_id: int | None) -> int:
    """Return how many images the dataset's training split has; None stands for COCO's."""
    if dataset_id is None:
        return COCO_IMAGES
    dataset = session.get(Dataset, dataset_id)
    if dataset is None:
        raise NotFound(
            f"there is no dataset {dataset_id} to scale to; take one of `eigenscope datasets list`"
        )
    images: int = dataset.counts["train"]["images"]
    return images


def _dataset(session: Session, specification: RunSpecification) -> Dataset:
    dataset = session.get(Dataset, specification.dataset_id)
    if dataset is None:
        raise InvalidInput(
            f"dataset_id: there is no dataset {specification.dataset_id}; register one, or take one of "
            "`eigenscope datasets list`"
        )
    architecture = specification.model.architecture
    problem = dataset_problem(architecture, name=dataset.name, kind=dataset.kind, has_masks=dataset.has_masks)
    if problem:
        raise InvalidInput(problem)
    return dataset


def _first_weights(
    session: Session, settings: Settings, specification: RunSpecification, classes: int
) -> WeightsReport | None:
    """Return what the run's network will take; refuse what its trainer would refuse."""
    source = initialisation.source_of(session, settings, specification, expected=True)
    return report(initialisation.plan(source, specification.model, classes)) if source else None


def _demand(run: Run, action: str) -> None:
    by_status = actions_by_status(run)
    if action in by_status[run.status]:
        return
    states = ", ".join(status for status, actions in by_status.items() if action in actions)
    if not states:
        raise Conflict(
            f"run {run.id} was recorded from somebody's own training, which no worker can {action}; launch a run"
        )
    raise Conflict(f"run {run.id} is {run.status}; {action} is possible only when it is: {states}")


def cancel(session: Session, run_id: int) -> Run:
    """Cancel a queued run at once; ask a running one to stop at its next iteration and save."""
    run = get(session, run_id)
    _demand(run, "cancel")
    waits = (Run.id == run_id, Run.status == "queued")
    queue.change(session, *waits, status="cancelled", finished_at=clock(session))
    queue.change(session, Run.id == run_id, Run.status == "running", stop_requested=True)
    session.refresh(run)
    return run


def resume(session: Session, run_id: int) -> Run:
    """Queue a stopped run again; it goes on from its last checkpoint."""
    run = get(session, run_id)
    _demand(run, "resume")
    _requeue(session, run)
    return run


def retry(session: Session, run_id: int) -> Run:
    """Queue a stopped run again from the beginning; what it had measured is removed."""
    run = get(session, run_id)
    _demand(run, "retry")
    for table in (Metric, MetricSummary, Layer, LogLine, Checkpoint, Prediction):
        session.execute(sql_delete(table).where(table.run_id == run_id))
    results = dict.fromkeys(("seconds_per_iteration", "ap", "ap50", "mask_ap", "top1", "start"))
    _requeue(session, run, iteration=0, **results)
    return run


def _requeue(session: Session, run: Run, **values: object) -> None:
    stopped = ("failed", "cancelled", "lost")
    queued = queue.change(
        session,
        Run.id == run.id,
        Run.status.in_(stopped),
        status="queued",
        attempt=0,
        error=None,
        stop_requested=False,
        archived=False,
        lease_owner=None,
        queued_at=clock(session),
        finished_at=None,
        **values,
    )
    if not queued:
        raise Conflict(f"run {run.id} changed meanwhile; look again")
    session.refresh(run)


def edit(
    session: Session,
    run_id: int,
    *,
    name: str | None = None,
    tags: Sequence[str] | None = None,
    notes: str | None = None,
    archived: bool | None = None,
) -> Run:
    """Rename a run, change its tags or notes, or put it into the archive; None leaves things as they are."""
    run = get(session, run_id)
    if archived and run.status in ("queued", "running"):
        raise Conflict(f"run {run_id} is {run.status}; cancel it or wait for its end, then archive it")
    tags = None if tags is None else list(dict.fromkeys(tags))
    values = {"name": name, "tags": tags, "notes": notes, "archived": archived}
    changed = {key: value for key, value in values.items() if value is not None}
    if changed:
        queue.change(session, Run.id == run_id, **changed)
        session.refresh(run)
    return run


def delete(session: Session, run_id: int) -> None:
    """Remove a run's rows. Its worker notices and ends; files go with `remove_files` after the commit."""
    session.delete(get(session, run_id))
    session.flush()


def remove_files(settings: Settings, run_id: int) -> None:
    """Remove a deleted run's checkpoints and log."""
    shutil.rmtree(settings.run_folder(run_id), ignore_errors=True)
