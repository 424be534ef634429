"""The story within a report of two runs: before the figures, linked to those that it holds."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from backend.database import Database
from backend.settings import Settings
from frontend.report.contents import Panel
from frontend.report.document import report
from frontend.report.request import ReportRequest
from frontend.report.story import ReportFigures
from frontend.story.statement import Link

MADE = datetime(2026, 3, 5, 14, 7, tzinfo=UTC)


@pytest.fixture
def session(seeded: tuple[Settings, dict[str, int]]) -> Iterator[Session]:
    """Yield a session that reads the seeded database."""
    database = Database(seeded[0].database)
    with database.reading() as opened:
        yield opened
    database.dispose()


@pytest.fixture
def pair(roles: dict[str, int]) -> tuple[int, int]:
    return roles["I"], roles["S"]


def told(session: Session, asked: ReportRequest) -> tuple[str, str]:
    """Return the report and the story's part of it, as text with its tags."""
    page = html.unescape(report(session, asked, MADE).decode()).replace("\u00a0", " ")
    found = re.search(r'<details class="story".*?</details>', page, re.DOTALL)
    return page, found.group() if found else ""


def captions(page: str, story: str) -> list[tuple[str, str]]:
    """Return each link's words with the caption of the figure that it leads to."""
    figures = dict(
        re.findall(r'<figure[^>]* id="([^"]+)".*?class="chart-title">(.*?)</span>', page, re.DOTALL)
    )
    links = re.findall(r'<a href="#([^"]+)"[^>]*>(.*?)</a>', story)
    return [(text, figures[name]) for name, text in links]


def test_it_stands_before_the_figures_and_links_to_them(session: Session, pair: tuple[int, int]) -> None:
    page, story = told(session, ReportRequest(pair))
    assert "Accuracy differs; spectra differ." in story
    assert page.index("</details>") < page.index("<figure")
    assert "/compare" not in story
    assert "/widths" not in story
    assert [(text, caption.split(":")[0]) for text, caption in captions(page, story)] == [
        ("Average precision", "Average precision on the validation split"),
        ("Dimensionality by depth", "Intrinsic dimensionality as a share of the layer's width, by depth"),
        ("Heatmap of S", "S"),
        ("Difference by layer and iteration", "I"),
    ]
    assert re.search(r'data-iteration="0">Dimensionality by depth', story)
    assert re.search(r'data-iteration="1200">Difference', story)


def test_figures_that_are_not_there_are_not_linked(session: Session, pair: tuple[int, int]) -> None:
    page, story = told(session, ReportRequest(pair, figures=("heatmap",)))
    assert [text for text, _ in captions(page, story)] == ["Heatmap of S"]
    assert f"{story}".count("<li>") == 6, "what was found is told all the same"


def test_a_figure_of_one_layer_is_linked_where_it_is_of_that_layer(
    session: Session, pair: tuple[int, int]
) -> None:
    asked = ReportRequest(pair, figures=("dimension_by_iteration",), layers=("layer1.0", "stem.act1"))
    page, story = told(session, asked)
    assert captions(page, story) == [
        ("Dimensionality over training", "Intrinsic dimensionality of stem.act1")
    ]


def test_it_counts_by_the_reports_criterion(session: Session, pair: tuple[int, int]) -> None:
    page, story = told(session, ReportRequest(pair, criterion="variance", threshold=0.5))
    assert "as many as hold 50 % of the trace" in story
    assert "The paper counts eigenvalues above 0.001 instead." in story
    assert len(captions(page, story)) == 4
    page, story = told(session, ReportRequest(pair, criterion="power_law"))
    assert "by the paper's criterion" in story
    assert captions(page, story) == [
        ("Average precision", "Average precision on the validation split"),
        ("Power-law slope α by depth", "Power-law slope α, by depth"),
    ], "its other figures show slopes, of which no share is told"


def test_a_moment_of_both_trainings_is_a_progress() -> None:
    figures = ReportFigures([Panel("heatmap_difference", (1, 2))], "absolute", "absolute")
    link = figures.at(
        "Difference", "heatmap_difference", {"align": "progress", "p": "35.833"}, layer="layer1.0"
    )
    assert link == Link("Difference", "#figure-1", None, 35.833)


def test_it_is_of_two_runs_alone(session: Session, pair: tuple[int, int], roles: dict[str, int]) -> None:
    for runs in ((pair[0],), (*pair, roles["running"])):
        assert told(session, ReportRequest(runs))[1] == ""
