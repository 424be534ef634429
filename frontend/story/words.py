"""How sentences write runs, numbers and moments. What is written equal is equal: gaps are those of written numbers."""

from __future__ import annotations

from backend.comparison.schemas import Comparison, RunReference, Spectra
from frontend.formats import init_label
from frontend.story.statement import Called

CLOSE = 5
"""Points below which shares are written with a decimal, so that their gap can be read."""


def called(comparison: Comparison) -> tuple[Called, Called]:
    """Name both runs: by the letter on their badge where it tells them apart, else by their number."""
    both = (comparison.first, comparison.second)
    letters = [init_label(run.init) for run in both]
    if letters[0] == letters[1] or "?" in letters:
        letters = [_numbered(run) for run in both]
    first, second = (Called(run, name) for run, name in zip(both, letters, strict=True))
    return first, second


def _numbered(run: RunReference) -> str:
    return f"run {run.id}"


def percentages(*shares: float) -> list[str]:
    """Write shares as percentages, with a decimal where they lie close together."""
    spread = 100 * (max(shares) - min(shares))
    return [f"{100 * share:.{1 if spread < CLOSE else 0}f} %" for share in shares]


def whole(share: float) -> str:
    """Write one share as a whole percentage."""
    return f"{100 * share:.0f} %"


def gap(first: float, second: float) -> str:
    """Write how far two shares are apart, in points, as their percentages say it."""
    digits = 1 if abs(100 * (second - first)) < CLOSE else 0
    difference = abs(round(100 * second, digits) - round(100 * first, digits))
    return f"{difference:.{digits}f}"


def points(share: float) -> str:
    """Write a distance without sign in points."""
    return f"{100 * share:.{1 if 100 * share < CLOSE else 0}f}"


def of_points(number: str) -> str:
    """Write a number of points with its unit."""
    return f"{number} point{'' if number in ('1', '1.0') else 's'}"


def moment(spectra: Spectra) -> str:
    """Write at which moment both runs are compared, as a sentence begins with it."""
    if spectra.ended:
        return "At the end"
    first, second = spectra.first, spectra.second
    if first.end_iteration == second.end_iteration:
        return f"At iteration {first.end_iteration:,}"
    if spectra.progress >= 1:
        return "So far"
    return f"At {whole(spectra.progress)} of each training"


def opening(text: str) -> str:
    """Write what opens a sentence: a run's number begins with a small letter otherwise."""
    return text[:1].upper() + text[1:]


def counted(number: int, noun: str) -> str:
    """Write a number of things."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: list[str]) -> str:
    """Write names as a list in words."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
