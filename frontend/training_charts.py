"""Which charts of a training a page shows: a launched run's are known, a recorded run's follow what it told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.measurements.records import WALL_SECONDS
from backend.models import Metric, Run
from frontend.figures.metrics import ACCURACIES
from frontend.settings_table import is_recorded

OWN_AT_MOST = 9
"""Charts of a recorded run's own metrics; all of them are in the API."""


@dataclass(frozen=True)
class TrainingChart:
    """A figure of metrics; `metric` names the one that the figure `metric` shows."""

    figure: str
    title: str
    help: str
    metric: str = ""


def charts_of_run(session: Session, run: Run) -> list[TrainingChart]:
    """Return a run's charts."""
    if not is_recorded(run.specification):
        classifier = run.specification["model"]["architecture"] == "classifier"
        return [_losses(), _accuracy(top1=classifier), _learning_rate()]
    names = _metric_names(session, run)
    found = [_losses()] if any(map(_is_loss, names)) or run.status == "running" else []
    if any(name in ACCURACIES for name in names):
        found.append(_accuracy(top1="ap" not in names))
    if "lr" in names:
        found.append(_learning_rate())
    return found + _own(names)


def charts_of_comparison(session: Session, runs: Sequence[Run]) -> list[TrainingChart]:
    """Return the charts of several runs: accuracy, loss, and what several recorded runs call by one name."""
    recorded = [run for run in runs if is_recorded(run.specification)]
    told = [name for run in recorded for name in _metric_names(session, run)]
    launched = len(recorded) < len(runs)
    found = []
    if launched or any(name in ACCURACIES for name in told):
        found.append(_accuracy(top1=not launched and "ap" not in told))
    if launched or any(map(_is_loss, told)):
        found.append(_losses())
    return found + _own([name for name in dict.fromkeys(told) if told.count(name) > 1])


def _metric_names(session: Session, run: Run) -> list[str]:
    query = select(Metric.name).where(Metric.run_id == run.id).distinct().order_by(Metric.name)
    return list(session.scalars(query))


def _is_loss(name: str) -> bool:
    return name == "loss" or name.startswith("loss_")


def _losses() -> TrainingChart:
    return TrainingChart(
        "losses", "Training loss", "A running mean over a fortieth of each run; behind it the raw values."
    )


def _accuracy(top1: bool) -> TrainingChart:
    title = "Top-1 accuracy" if top1 else "Average precision"
    return TrainingChart("average_precision", title, "On the validation split, at each evaluation.")


def _learning_rate() -> TrainingChart:
    return TrainingChart("learning_rate", "Learning rate", "After warm-up and milestones.")


def _own(names: Sequence[str]) -> list[TrainingChart]:
    own = [name for name in names if not _is_loss(name) and name not in (*ACCURACIES, "lr", WALL_SECONDS)]
    return [TrainingChart("metric", name, "As it was recorded.", metric=name) for name in own[:OWN_AT_MOST]]
