"""What a reader must bear in mind: what differs besides the initialisation, and where numbers mislead."""

from __future__ import annotations

from collections.abc import Iterator

from backend.comparison.schemas import Comparison, Spectra
from backend.measurements.service import PAPER_THRESHOLD
from backend.spectra.positions import FEW_POSITIONS
from frontend.story.counting import is_papers
from frontend.story.statement import Called
from frontend.story.words import counted, listed, opening, whole

NAMED_AT_MOST = 4


def notes(
    comparison: Comparison, runs: tuple[Called, Called], of_runs: int, instead: str = ""
) -> Iterator[str]:
    """Yield one sentence for each; `instead` is one of them where it says something."""
    first, second = runs
    if instead:
        yield instead
    if not is_papers(comparison):
        yield f"The paper counts eigenvalues above {PAPER_THRESHOLD:g} instead."
    if of_runs > 2:
        yield (
            f"Of {of_runs} runs, the first pre-trained and the first from scratch are told of, {first.name} and "
            f"{second.name}, else the first two; compare two alone to choose others."
        )
    yield from _settings(comparison)
    if comparison.spectra is None:
        yield _without_spectra(comparison, runs)
        return
    yield from _of_spectra(comparison, comparison.spectra, runs)


def _settings(comparison: Comparison) -> Iterator[str]:
    names = list(comparison.settings)
    if len(names) > NAMED_AT_MOST:
        names = [*names[: NAMED_AT_MOST - 1], f"{len(names) - NAMED_AT_MOST + 1} more settings"]
    if names:
        yield f"They also differ in {listed(names)}, which these numbers measure as well."
    if comparison.recorded:
        yield "Settings that a recorded run did not tell may differ unseen."


def _without_spectra(comparison: Comparison, runs: tuple[Called, Called]) -> str:
    counts = (comparison.layers_first, comparison.layers_second)
    bare = [one.name for one, layers in zip(runs, counts, strict=True) if not layers]
    if bare:
        return f"Nothing is said of spectra: {listed(bare)} has none yet, or its probe was off."
    return "Nothing is said of spectra: the two networks have no layer of the same name."


def _of_spectra(comparison: Comparison, spectra: Spectra, runs: tuple[Called, Called]) -> Iterator[str]:
    counts = (comparison.layers_first, comparison.layers_second)
    if spectra.common_layers < max(counts):
        yield (
            f"Layers that both have are compared: {spectra.common_layers:,} of {counts[0]:,} and "
            f"{counts[1]:,}."
        )
    if not spectra.ended:
        yield _not_ended(spectra, runs)
    if spectra.few_positions:
        yield (
            f"{counted(spectra.few_positions, 'layer')} of {spectra.common_layers:,} read low, with fewer than "
            f"{FEW_POSITIONS} positions per channel."
        )
    yield from _unresolved(spectra, runs)


def _not_ended(spectra: Spectra, runs: tuple[Called, Called]) -> str:
    courses = (spectra.first, spectra.second)
    if spectra.progress >= 1:
        going_on = [one.name for one, course in zip(runs, courses, strict=True) if course.live]
        return f"{opening(listed(going_on))} may still go on: all is told of what has been measured so far."
    ends = [
        f"{one.name} to iteration {course.end_iteration:,} of {course.length:,}"
        for one, course in zip(runs, courses, strict=True)
    ]
    return f"Told up to where both have come, {whole(spectra.progress)}: {listed(ends)}."


def _unresolved(spectra: Spectra, runs: tuple[Called, Called]) -> Iterator[str]:
    found = [
        f"{counted(course.unresolved_layers, 'layer')} of {one.name} (up to iteration {course.unresolved_until:,})"
        for one, course in zip(runs, (spectra.first, spectra.second), strict=True)
        if course.unresolved_until is not None
    ]
    if found and spectra.threshold is not None:
        yield (
            f"λ₁ is so large in {listed(found)} that eigenvalues near {spectra.threshold:g} are float32's rounding: "
            "shares there may read high."
        )
