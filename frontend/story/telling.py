"""The whole story of a pair of runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sqlalchemy.orm import Session

from backend.comparison.pair import chosen_pair
from backend.comparison.schemas import Comparison, Slopes, Spectra
from backend.comparison.service import compare
from backend.models import Run
from frontend.story.accuracy import accuracy_statement
from frontend.story.counting import counted_words, counting_of
from frontend.story.course import course_statement, start_statement
from frontend.story.depth import depth_statement, shape_statement, width_statement
from frontend.story.headline import headline, verdict
from frontend.story.links import ComparePage, Views
from frontend.story.notes import notes
from frontend.story.statement import Called, Statement, Story
from frontend.story.words import called


def story_of(
    session: Session,
    runs: Sequence[Run],
    criterion: str = "",
    threshold: str = "",
    views: Callable[[Comparison], Views] = ComparePage,
) -> Story | None:
    """Tell what two of the runs show, by the criterion in a page's address; None of fewer than two."""
    pair = chosen_pair(runs)
    if pair is None:
        return None
    counting = counting_of(criterion, threshold)
    found = compare(session, *pair, counting.criterion, counting.threshold)
    return tell(found, len(runs), views(found), counting.instead)


def tell(comparison: Comparison, of_runs: int = 2, views: Views | None = None, instead: str = "") -> Story:
    """Put a comparison into words, with links to `views`, without them to the Compare page.

    `instead` says why dimensions are not counted as somebody asked for.
    """
    runs = called(comparison)
    linked = ComparePage(comparison) if views is None else views
    return Story(
        runs=runs,
        headline=headline(comparison),
        verdict=verdict(comparison),
        statements=tuple(_statements(comparison, runs, linked)),
        notes=tuple(notes(comparison, runs, of_runs, instead)),
        counted=counted_words(comparison),
    )


def _statements(comparison: Comparison, runs: tuple[Called, Called], views: Views) -> Iterator[Statement]:
    yield accuracy_statement(comparison, runs, views)
    if comparison.spectra is not None:
        yield from _of_spectra(comparison.spectra, comparison.slopes, runs, views)
    widths = width_statement(comparison, runs, views)
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
