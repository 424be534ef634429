"""Is accuracy alike?"""

from __future__ import annotations

from backend.comparison.schemas import Accuracy, Comparison
from frontend.formats import percent
from frontend.story.links import Views
from frontend.story.statement import Called, Statement
from frontend.story.words import listed, of_points

NOTHING_FOUND = 5e-4
MEASURES = {"ap": "AP", "top1": "top-1 accuracy"}


def accuracy_statement(comparison: Comparison, runs: tuple[Called, Called], views: Views) -> Statement:
    """Say how far the accuracies are apart, and what seeds alone do."""
    found = comparison.accuracy
    if found is None:
        return Statement(
            "Accuracy", "–", "", "No accuracy to compare yet: the runs have no evaluation by one measure."
        )
    title = "Average precision" if found.measure == "ap" else "Top-1 accuracy"
    link = views.at(title, "average_precision")
    difference = f"{abs(float(percent(found.second)) - float(percent(found.first))):.1f}"
    return Statement("Accuracy", difference, "points", _sentence(comparison, found, runs), (link,))


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
    both = zip(runs, (found.first_seeds, found.second_seeds), strict=True)
    told = [(run.name, seeds) for run, seeds in both if seeds is not None]
    if not told:
        return "One seed each: how much of that is chance is not known."
    widest = f"{max(100 * seeds.spread for _, seeds in told):.1f}"
    which = listed([f"{len(seeds.run_ids)} of {name}" for name, seeds in told])
    return f"Seeds alone differ by up to {of_points(widest)} ({which})."
