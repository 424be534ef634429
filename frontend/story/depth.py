"""Where along the network the runs differ in the end: how many dimensions, what shape, which layers are too wide."""

from __future__ import annotations

from backend.comparison.schemas import Comparison, Slopes, Spectra, StagePair
from frontend.formats import signed
from frontend.story.links import SLOPES, Views, at_end, linked
from frontend.story.statement import Called, Statement
from frontend.story.words import listed, moment, of_points, opening, points, whole

ALIKE_SLOPES = 0.05


def depth_statement(spectra: Spectra, runs: tuple[Called, Called], views: Views) -> Statement:
    """Say in which stages the second run uses more or fewer of its channels than the first."""
    apart = points(spectra.apart_at_end)
    sentence = (
        f"{moment(spectra)} {_stages(spectra.stages, runs)}. Layer by layer the runs are {of_points(apart)} apart "
        "on average."
    )
    link = views.at(
        "Difference by layer and iteration",
        "heatmap_difference",
        at_end(spectra),
        layer=spectra.end_layer.layer,
    )
    return Statement("Depth", apart, "points apart", sentence, linked(link))


def _stages(stages: list[StagePair], runs: tuple[Called, Called]) -> str:
    first, second = runs
    rising = sorted(stages, key=_difference)
    fewer = [one for one in rising if _difference(one) < 0]
    more = [one for one in reversed(rising) if _difference(one) > 0]
    if not fewer and not more:
        return f"{second.name} uses as many of its channels as {first.name} in every stage, to the point"
    than = f"of its channels than {first.name}"
    if not fewer:
        return f"{second.name} uses more {than} {_where(more, stages)}"
    also = f", and more {_where(more, stages)}" if more else ""
    return f"{second.name} uses fewer {than} {_where(fewer, stages)}{also}"


def _difference(stage: StagePair) -> int:
    return round(100 * (stage.second - stage.first))


def _where(found: list[StagePair], stages: list[StagePair]) -> str:
    """Name the stage of the largest difference, which comes first, and count the others."""
    difference = signed(_difference(found[0]), 0)
    most = f"{found[0].stage} ({difference} {'point' if difference in ('+1', '−1') else 'points'})"
    if len(found) == 1:
        return f"in {most}"
    return f"in {'all' if len(found) == len(stages) else f'{len(found)} of'} {len(stages)} stages, most so in {most}"


def shape_statement(spectra: Spectra, slopes: Slopes, runs: tuple[Called, Called], views: Views) -> Statement:
    """Say whose spectra fall more steeply, and in which stage that shows most."""
    first, second = runs
    one, other = f"{slopes.first:.2f}", f"{slopes.second:.2f}"
    difference = f"{abs(float(other) - float(one)):.2f}"
    if float(difference) < ALIKE_SLOPES:
        told = f"the spectra of {second.name} fall as steeply as those of {first.name}"
    elif slopes.second > slopes.first:
        told = f"the spectra of {second.name} fall more steeply than those of {first.name}"
    else:
        told = f"the spectra of {second.name} fall less steeply than those of {first.name}"
    sentence = f"{moment(spectra)} {told}: power-law slope {other} against {one}{_most(slopes)}."
    link = views.at("Power-law slope α by depth", "dimension_by_depth", at_end(spectra), criterion=SLOPES)
    return Statement("Shape", difference, "of slope", sentence, linked(link))


def _most(slopes: Slopes) -> str:
    if len(slopes.stages) < 2:
        return ""
    most = max(slopes.stages, key=lambda one: abs(one.second - one.first))
    return f", farthest apart in {most.stage} ({most.second:.2f} and {most.first:.2f})"


def width_statement(comparison: Comparison, runs: tuple[Called, Called], views: Views) -> Statement | None:
    """Say which layers use less than half of their channels; None where no layer can be judged."""
    told = [(one, its) for one in runs for its in comparison.narrow if its.run_id == one.run.id]
    if not told:
        return None
    run, least = min(told, key=lambda pair: pair[1].least_dimensionality / pair[1].least_width)
    share = whole(least.least_dimensionality / least.least_width)
    counts = listed([f"{its.below_half:,} of {its.layers:,} layers of {one.name}" for one, its in told])
    ended = comparison.spectra is not None and comparison.spectra.ended
    sentence = (
        f"{'' if ended else 'At the last snapshot, '}{counts} use less than half of their channels. Least used is "
        f"{least.least_layer} of {run.name}: {least.least_dimensionality:,} of {least.least_width:,}."
    )
    links = linked(
        *(
            views.widths(f"Widths from {one.name}", one.run.id)
            for one, _ in told
            if one.run.origin == "launched"
        )
    )
    return Statement("Widths", share.removesuffix(" %"), "% of width", opening(sentence), links)
