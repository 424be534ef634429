"""Where the runs' dimensionalities begin, and what becomes of them."""

from __future__ import annotations

from backend.comparison.schemas import RunCourse, Spectra
from frontend.story.links import Views, at_start, linked
from frontend.story.statement import Called, Statement
from frontend.story.words import gap, of_points, opening, percentages, points, whole

HARDLY = 0.05
"""A run whose layers end on average no farther from their start hardly moves."""


def start_statement(spectra: Spectra, runs: tuple[Called, Called], views: Views) -> Statement:
    """Say how much of their channels both use at first, and which layer sets them apart."""
    first, second = runs
    one, other = percentages(spectra.first.start, spectra.second.start)
    pair = spectra.start_layer
    farthest = " and ".join(percentages(pair.first, pair.second))
    low = ", both reading low" if pair.few_positions else ""
    sentence = (
        f"{_at_first(spectra)} {first.name} uses {one} of its channels on average, {second.name} {other}. "
        f"Farthest apart is {pair.layer} ({farthest}{low})."
    )
    link = views.at("Dimensionality by depth", "dimension_by_depth", at_start(spectra), layer=pair.layer)
    return Statement(
        "Start", gap(spectra.first.start, spectra.second.start), "points apart", sentence, linked(link)
    )


def _at_first(spectra: Spectra) -> str:
    first, second = spectra.first.start_iteration, spectra.second.start_iteration
    if first == second:
        return f"At iteration {first:,}"
    return f"At their first snapshots (iterations {first:,} and {second:,})"


def course_statement(spectra: Spectra, runs: tuple[Called, Called], views: Views) -> Statement | None:
    """Say how both go on from there, when they settle, and how far their layers move; None of a single snapshot."""
    if min(spectra.first.snapshots, spectra.second.snapshots) < 2:
        return None
    first, second = runs
    links = linked(
        views.of_one(f"Heatmap of {second.name}", "heatmap", second.run.id),
        views.at("Dimensionality over training", "dimension_by_iteration", layer=spectra.second.moved_most),
    )
    courses = f"{_course(second.name, spectra.second)}; {_course(first.name, spectra.first)}"
    sentence = f"{opening(courses)}. {opening(_moved(spectra, runs))}"
    return Statement("Course", points(spectra.second.moved), "points moved", sentence, links)


def _course(name: str, run: RunCourse) -> str:
    if run.kind == "steady":
        return f"{name} stays at {whole(run.end)}"
    if run.turn is None or run.turn_iteration is None:
        start, end = percentages(run.start, run.end)
        return f"{name} {run.kind} from {start} to {end}{_settled(run)}"
    start, turn, end = percentages(run.start, run.turn, run.end)
    there, back = ("falls", "widens") if run.kind == "dips" else ("widens", "narrows")
    way = f"first {there} from {start} to {turn} (iteration {run.turn_iteration:,}), then {back} to {end}"
    return f"{name} {way}{_settled(run)}"


def _settled(run: RunCourse) -> str:
    if run.settled_iteration == run.end_iteration:
        return " and has not settled"
    return (
        f", settled from iteration {run.settled_iteration:,} on ({whole(run.settled_iteration / run.length)})"
    )


def _moved(spectra: Spectra, runs: tuple[Called, Called]) -> str:
    """Compare how far layers end from their start, and say so where trained weights moved more than random ones."""
    first, second = runs
    one, other = points(spectra.first.moved), points(spectra.second.moved)
    still = [
        called.name for called, its in zip(runs, (spectra.first, spectra.second), strict=True) if _hardly(its)
    ]
    hardly = {0: "", 1: f"{''.join(still)} hardly moves: ", 2: "both hardly move: "}[len(still)]
    told = f"{hardly}layers end on average {of_points(one)} from their start in {first.name}, {other} in {second.name}"
    roles = (first.run.role, second.run.role)
    opposite = roles == ("pre-trained", "scratch") and float(one) > float(other)
    return f"{told}; here the pre-trained run moves more." if opposite else f"{told}."


def _hardly(run: RunCourse) -> bool:
    return run.moved <= HARDLY
