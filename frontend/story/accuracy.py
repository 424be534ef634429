"""Is accuracy alike?"""

from __future__ import annotations

from backend.comparison.schemas import Accuracy, Comparison, Seeds
from frontend.formats import percent
from frontend.story.links import Views, linked
from frontend.story.statement import Called, Statement
from frontend.story.words import listed, of_points

NOTHING_FOUND = 5e-4
MEASURES = {"ap": "AP", "top1": "top-1 accuracy"}


def accuracy_statement(comparison: Comparison, runs: tuple[Called, Called], views: Views) -> Statement:
    """Say how far the accuracies are apart, and what seeds alone do."""
    found = comparison.accuracy
    if found is None:
        return Statement(
            "Accuracy", "–", "", "No accuracy to compare yet: the runs share no evaluation of AP or top-1."
        )
    title = "Average precision" if found.measure == "ap" else "Top-1 accuracy"
    link = views.at(title, "average_precision")
    number = _difference(found.first, found.second)
    unit = f"{'AP' if found.measure == 'ap' else 'top-1'} points"
    return Statement("Accuracy", number, unit, _sentence(comparison, found, runs), linked(link))


def alike(comparison: Comparison) -> bool | None:
    """Return whether accuracies are alike; None where they say nothing of each other."""
    found = comparison.accuracy
    if found is None or "data" in comparison.settings or _nothing(found):
        return None
    return found.alike


def _nothing(found: Accuracy) -> bool:
    return max(found.first, found.second) < NOTHING_FOUND


def _sentence(comparison: Comparison, found: Accuracy, runs: tuple[Called, Called]) -> str:
    first, second = runs
    one, other = percent(found.first), percent(found.second)
    numbers = f"{MEASURES[found.measure]} {one} for {first.name}, {other} for {second.name}{_when(found)}"
    if _nothing(found):
        return f"Neither run finds anything yet: {numbers}."
    if "data" in comparison.settings:
        return f"{numbers}: on different data, so the two cannot be set side by side."
    return f"Accuracy {'is alike' if found.alike else 'differs'}: {numbers}. {_seeds(found, runs)}"


def _when(found: Accuracy) -> str:
    if found.first_iteration == found.second_iteration:
        return ""
    return f" (iterations {found.first_iteration:,} and {found.second_iteration:,})"


def _seeds(found: Accuracy, runs: tuple[Called, Called]) -> str:
    first, second = found.first_seeds, found.second_seeds
    if first is not None and second is not None and first.run_ids == second.run_ids:
        return f"They are two of {len(first.run_ids)} seeds of one training, which differ by up to {_spread(first)}."
    told = [(run.name, its) for run, its in zip(runs, (first, second), strict=True) if its is not None]
    if not told:
        return "One seed each: how much of that is chance is not known."
    widest = max((its for _, its in told), key=lambda its: its.highest - its.lowest)
    which = listed([f"{len(its.run_ids)} of {name}" for name, its in told])
    return f"Seeds alone differ by up to {_spread(widest)} ({which})."


def _spread(seeds: Seeds) -> str:
    return of_points(_difference(seeds.lowest, seeds.highest))


def _difference(first: float, second: float) -> str:
    """Write how far two accuracies are apart, in points, as they are written."""
    return f"{abs(float(percent(second)) - float(percent(first))):.1f}"
