"""Which charts of a training a page shows: a launched run's are known, a recorded run's follow what it told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.measurements.category_metrics import KINDS, category_metric
from backend.measurements.records import WALL_SECONDS
from backend.models import Metric, MetricSummary, Run
from frontend.figures.metrics import ACCURACIES, SIZES
from frontend.settings_table import is_recorded

OWN_AT_MOST = 9
"""Charts of a recorded run's own metrics; all of them are in the API."""


@dataclass(frozen=True)
class TrainingChart:
    """A figure of metrics; `metric` names the one that the figure `metric` shows, `aside` is not among the first."""

    figure: str
    title: str
    help: str
    metric: str = ""
    aside: bool = False


def charts_of_run(session: Session, run: Run) -> list[TrainingChart]:
    """Return a run's charts."""
    names = _metric_names(session, run)
    if not is_recorded(run.specification):
        classifier = run.specification["model"]["architecture"] == "classifier"
        return [_losses(), _accuracy(top1=classifier), _learning_rate(), *_asides(run, names, not classifier)]
    found = [_losses()] if any(map(_is_loss, names)) or run.status == "running" else []
    if any(name in ACCURACIES for name in names):
        found.append(_accuracy(top1="ap" not in names))
    if "lr" in names:
        found.append(_learning_rate())
    if any(map(category_metric, names)):
        found.append(_ASIDES["precision_by_category"])
    return found + _own(names)


def _asides(run: Run, names: Sequence[str], detector: bool) -> list[TrainingChart]:
    """Return what explains a launched run's losses and speed, as far as it is measured or will be."""
    live = run.status in ("queued", "running")
    clipped = run.specification["training"]["clip_norm"] is not None
    wanted = {
        "precision_by_size": detector and (live or not _SIZED.isdisjoint(names)),
        "precision_by_category": any(map(category_metric, names)),
        "gradient_norm": "gradient_norm" in names or (live and clipped),
        "gradient_scale": "gradient_scale" in names,
        "data_wait": "data_wait" in names or live,
        "gpu_memory": "gpu_memory" in names,
        "gpu_utilisation": "gpu_utilisation" in names,
    }
    return [chart for name, chart in _ASIDES.items() if wanted[name]]


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
    if _tells_categories(session, runs):
        found.append(_ASIDES["precision_by_category"])
    return found + _own([name for name in dict.fromkeys(told) if told.count(name) > 1])


def _tells_categories(session: Session, runs: Sequence[Run]) -> bool:
    mine = MetricSummary.run_id.in_([run.id for run in runs])
    told = MetricSummary.name.startswith(f"{KINDS[0]}/", autoescape=True)
    return session.scalar(select(MetricSummary.name).where(mine, told).limit(1)) is not None


def _metric_names(session: Session, run: Run) -> list[str]:
    query = select(Metric.name).where(Metric.run_id == run.id).distinct().order_by(Metric.name)
    return list(session.scalars(query))


def _is_loss(name: str) -> bool:
    return name == "loss" or name.startswith("loss_")


def _losses() -> TrainingChart:
    about = "An exponential mean over as many iterations as you choose; faint behind it the raw values."
    return TrainingChart("losses", "Training loss", about)


def _accuracy(top1: bool) -> TrainingChart:
    title = "Top-1 accuracy" if top1 else "Average precision"
    return TrainingChart("average_precision", title, "On the validation split, at each evaluation.")


def _learning_rate() -> TrainingChart:
    return TrainingChart("learning_rate", "Learning rate", "After warm-up and milestones.")


def _own(names: Sequence[str]) -> list[TrainingChart]:
    known = (*ACCURACIES, "lr", WALL_SECONDS)
    own = [
        name for name in names if not _is_loss(name) and name not in known and category_metric(name) is None
    ]
    return [TrainingChart("metric", name, "As it was recorded.", metric=name) for name in own[:OWN_AT_MOST]]


def _aside(name: str, title: str, about: str) -> TrainingChart:
    return TrainingChart("metric", title, about, metric=name, aside=True)


_SIZED = {f"{kind}_{size}" for kind in ("ap", "mask_ap") for size in SIZES}
_ASIDES = {
    "precision_by_size": TrainingChart(
        "precision_by_size",
        "Average precision by size",
        "Of objects below 32², to 96² and above that many pixels, at each evaluation.",
        aside=True,
    ),
    "precision_by_category": TrainingChart(
        "precision_by_category",
        "Average precision by category",
        "Of each category at the last evaluation, the best of the first run on top; undefined ones are left out.",
        aside=True,
    ),
    "gradient_norm": _aside("gradient_norm", "Gradient norm", "Over all weights, before it is clipped."),
    "gradient_scale": _aside(
        "gradient_scale", "Loss scale", "What fp16 multiplies the loss by, lest small gradients vanish."
    ),
    "data_wait": _aside(
        "data_wait", "Waiting for data", "Share of each iteration in which training waited for its images."
    ),
    "gpu_memory": TrainingChart(
        "gpu_memory",
        "GPU memory",
        "What this run holds of its card, and what all processes together hold of it; of the first of several cards.",
        aside=True,
    ),
    "gpu_utilisation": _aside(
        "gpu_utilisation",
        "GPU utilisation",
        "Share of the time in which the card computed, as nvidia-smi tells it.",
    ),
}
