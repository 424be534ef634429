"""The whole story of a pair of runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from backend.comparison.pair import chosen_pair
from backend.comparison.schemas import Comparison, Slopes, Spectra
from backend.comparison.service import compare
from backend.models import Run
from frontend.story.accuracy import accuracy_statement
from frontend.story.course import course_statement, start_statement
from frontend.story.depth import depth_statement, shape_statement, width_statement
from frontend.story.headline import headline, verdict
from frontend.story.links import Views
from frontend.story.notes import notes
from frontend.story.statement import Called, Statement, Story
from frontend.story.words import called


def story_of(session: Session, runs: Sequence[Run]) -> Story | None:
    """Tell what two of the runs show; None of fewer than two."""
    pair = chosen_pair(runs)
    return tell(compare(session, *pair), len(runs)) if pair else None


def tell(comparison: Comparison, of_runs: int = 2) -> Story:
    """Put a comparison into words."""
    runs = called(comparison)
    return Story(
        runs=runs,
        headline=headline(comparison),
        verdict=verdict(comparison),
        statements=tuple(_statements(comparison, runs)),
        notes=tuple(notes(comparison, runs, of_runs)),
    )


def _statements(comparison: Comparison, runs: tuple[Called, Called]) -> Iterator[Statement]:
    views = Views(comparison)
    yield accuracy_statement(comparison, runs, views)
    if comparison.spectra is not None:
        yield from _of_spectra(comparison.spectra, comparison.slopes, runs, views)
    widths = width_statement(comparison, runs)
    if widths is not None:
        yield widths


def _of_spectra(
    spectra: Spectra, slopes: Slopes | None, runs: tuple[Called, Called], views: Views
) -> Iterator[Statement]:
    yield start_statement(spectra, runs, views)
    course = course_statement(spectra, runs, views)
    if course is not None:
        yield course
    yield depth_statement(spectra, runs, views)
    if slopes is not None:
        yield shape_statement(spectra, slopes, runs, views)
