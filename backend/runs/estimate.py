"""How long a run will take, judged by a finished run that is like it."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.models import Dataset, Run, Worker
from backend.runs.schedule import snapshot_iterations
from backend.runs.specification import RunSpecification

SEEN_AT_MOST = 200


class TimeEstimate(BaseModel):
    """Seconds of a run, whole and of its updates alone, and the finished run that they are scaled from.

    Where `whole` is False, probing and evaluation are not in it: that run went through several attempts, so that what
    they took is not known.
    """

    seconds: float
    training_seconds: float
    whole: bool
    run_id: int
    run_name: str
    device: str


@dataclass(frozen=True, slots=True)
class Work:
    """What a run does, in multiply-accumulates: each update, and all passes of probe and evaluation together."""

    update: float
    looking: float


def estimate(
    session: Session, specification: RunSpecification, dataset: Dataset, macs: int
) -> TimeEstimate | None:
    """Return how long the run will take, from the finished run most like it; None where there is none.

    Like it are runs of the same architecture and backbone, on a device that a worker has; time grows with MACs times
    images.
    """
    similar = _most_similar(session, specification, macs)
    if similar is None:
        return None
    seen = RunSpecification.model_validate(similar.specification)
    then_on = session.get(Dataset, similar.dataset_id) or dataset
    now, then = work(specification, dataset, macs), work(seen, then_on, similar.macs or macs)
    updates = (
        (similar.seconds_per_iteration or 0.0) * now.update / then.update * specification.training.iterations
    )
    looking = _seconds_looking(similar)
    return TimeEstimate(
        seconds=updates + (looking or 0.0) * now.looking / then.looking,
        training_seconds=updates,
        whole=looking is not None,
        run_id=similar.id,
        run_name=similar.name,
        device=similar.device or "",
    )


def work(specification: RunSpecification, dataset: Dataset, macs: int) -> Work:
    """Return what a run does on a dataset; the network looks at each validation image at every evaluation."""
    training, probe, every = specification.training, specification.probe, specification.evaluate_every
    judged = examples(specification, dataset, "val")
    evaluations = training.iterations // every if every else 0
    evaluations += 0 if every and training.iterations % every == 0 else 1
    snapshots = len(snapshot_iterations(training.iterations, probe.every)) if probe.images else 0
    passes = evaluations * judged + snapshots * min(probe.images, judged)
    return Work(update=macs * training.batch_size, looking=macs * max(1, passes))


def examples(specification: RunSpecification, dataset: Dataset, split: str) -> int:
    """Return how many examples a split has: a classifier learns the objects, a detector the images."""
    counted = "annotations" if specification.model.architecture == "classifier" else "images"
    number: int = dataset.counts[split][counted]
    return number


def _seconds_looking(run: Run) -> float | None:
    """Return what probing, evaluating and saving took together; None where the clock ran on between attempts."""
    if run.attempt != 1 or run.started_at is None or run.finished_at is None:
        return None
    whole = (run.finished_at - run.started_at).total_seconds()
    return max(0.0, whole - run.iterations * (run.seconds_per_iteration or 0.0))


def _most_similar(session: Session, specification: RunSpecification, macs: int) -> Run | None:
    model = Run.specification["model"]
    query = (
        select(Run)
        .where(
            Run.status == "succeeded",
            Run.origin == "launched",
            Run.seconds_per_iteration.is_not(None),
            Run.macs.is_not(None),
            model["architecture"].as_string() == specification.model.architecture,
            model["backbone"].as_string() == specification.model.backbone,
        )
        .order_by(Run.id.desc())
        .limit(SEEN_AT_MOST)
    )
    devices = _devices(session, specification.resources.gpus)
    candidates = [run for run in session.scalars(query) if not devices or run.device in devices]
    wanted = macs * specification.training.batch_size
    return min(candidates, key=lambda run: _distance(run, specification, wanted), default=None)


def _distance(run: Run, specification: RunSpecification, wanted: float) -> tuple[bool, bool, float]:
    training, resources = run.specification["training"], run.specification["resources"]
    return (
        (resources["gpus"] or 1) != (specification.resources.gpus or 1),
        training["amp"] != specification.training.amp,
        abs(log(wanted / ((run.macs or 1) * training["batch_size"]))),
    )


def _devices(session: Session, gpus: int | None) -> set[str]:
    """Return the names of the devices that the run could train on; empty where no worker tells."""
    if gpus == 0:
        return {"cpu"}
    workers = session.scalars(select(Worker)).all()
    cards = {str(device["name"]) for worker in workers for device in worker.devices}
    return cards or ({"cpu"} if workers else set())
