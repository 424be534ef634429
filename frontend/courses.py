"""From what the database holds of a run to where its iterations lie in epochs, in its plan and in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.measurements import service
from backend.models import Dataset, Run
from frontend.figures.course import Counted, Course, even_course, known_course
from frontend.formats import duration

WALL, EPOCH = "wall_seconds", "epoch"
"""Metrics: seconds since a run's start, pauses between its attempts left out; epochs, as a recorded run told them."""


@dataclass(frozen=True)
class Courses:
    """Where runs lie along an axis: `by_run` by id, without those that cannot be placed.

    `notes` are sentences as plain text, one for each run that is left out or placed by an estimate.
    """

    by_run: dict[int, Course]
    notes: tuple[str, ...]


def courses_of(session: Session, runs: Sequence[Run], counted: Counted) -> Courses:
    """Return where the runs' iterations lie along an axis that counts this."""
    by_run, notes = {}, []
    for run in runs:
        course, note = _course(session, run, counted)
        if course is not None:
            by_run[run.id] = course
        if note:
            notes.append(f"{run.name}: {note}.")
    return Courses(by_run, tuple(notes))


def _course(session: Session, run: Run, counted: Counted) -> tuple[Course | None, str]:
    if counted == "iteration":
        return even_course(1.0), ""
    if counted == "epoch":
        return _in_epochs(session, run)
    if counted == "relative":
        return _in_percent(run)
    return _in_seconds(session, run)


def _in_epochs(session: Session, run: Run) -> tuple[Course | None, str]:
    if run.dataset_id is None:
        told = _told(session, run, EPOCH)
        return told, "" if told else (
            f"recorded without a dataset, its epochs are not known; record a metric '{EPOCH}', or count iterations"
        )
    dataset = session.get_one(Dataset, run.dataset_id)
    images = dataset.counts["train"]["images"]
    return even_course(run.specification["training"]["batch_size"] / images), ""


def planned_iterations(run: Run) -> int:
    """Return how many iterations a run was planned to have, or had where nobody planned; 0 where that is open."""
    return run.iterations or (run.iteration if run.status == "succeeded" else 0)


def _in_percent(run: Run) -> tuple[Course | None, str]:
    planned = planned_iterations(run)
    if not planned:
        return None, "nobody said how many iterations it is planned to have; count iterations"
    return even_course(100.0 / planned), ""


def _in_seconds(session: Session, run: Run) -> tuple[Course | None, str]:
    told = _told(session, run, WALL)
    if told:
        return told, ""
    if run.attempt <= 1 and run.iteration and run.started_at and run.finished_at:
        seconds = (run.finished_at - run.started_at).total_seconds()
        return even_course(seconds / run.iteration), (
            f"its times were not stored; estimated, all iterations alike over its {duration(seconds)}"
        )
    pace = run.seconds_per_iteration
    if pace:
        return even_course(pace), (
            f"its times were not stored; estimated from {pace:.3g} s an iteration, without probing and evaluating"
        )
    return None, "its times were not stored; count iterations"


def _told(session: Session, run: Run, metric: str) -> Course | None:
    found = service.metrics(session, run.id, [metric]).get(metric)
    if found is None:
        return None
    values = [float("nan") if value is None else value for value in found.values]
    return known_course(found.iterations, values)
