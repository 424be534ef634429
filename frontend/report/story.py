"""What two runs show, in words, with links to the report's own figures."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from backend.comparison.schemas import Comparison
from backend.models import Run
from frontend.report.contents import Panel
from frontend.report.request import ReportRequest
from frontend.story.links import Cursor
from frontend.story.statement import Link, Story
from frontend.story.telling import story_of


class ReportFigures:
    """The figures of a report as `Views`: what it does not show, it does not link to."""

    def __init__(self, panels: Sequence[Panel], criterion: str, story_criterion: str) -> None:
        self._panels = panels
        self._criterion, self._story_criterion = criterion, story_criterion

    def at(
        self, text: str, figure: str, cursor: Cursor | None = None, *, layer: str = "", criterion: str = ""
    ) -> Link | None:
        """Return a link to a figure of both runs, None where it is not here or counts otherwise."""
        return self._link(text, figure, None, layer, criterion, cursor or {})

    def of_one(self, text: str, figure: str, run_id: int) -> Link | None:
        """Return a link to a figure of one run."""
        return self._link(text, figure, run_id, "", "", {})

    def widths(self, text: str, run_id: int) -> Link | None:
        """Return None: widths are chosen on a page of the server."""
        return None

    def _link(
        self, text: str, figure: str, run: int | None, layer: str, criterion: str, cursor: Cursor
    ) -> Link | None:
        for place, panel in enumerate(self._panels, start=1):
            fits = panel.figure == figure and (run is None or panel.runs == (run,))
            counts_alike = "criterion" not in panel.reads or self._criterion == (
                criterion or self._story_criterion
            )
            if fits and counts_alike and panel.layer in ("", layer):
                progress = float(cursor["p"]) if "p" in cursor else None
                iteration = int(cursor["i"]) if "i" in cursor else None
                return Link(text, f"#figure-{place}", iteration, progress)
        return None


def report_story(
    session: Session, runs: Sequence[Run], panels: Sequence[Panel], asked: ReportRequest
) -> Story | None:
    """Tell what two runs show, by the report's criterion where it counts dimensions; None of fewer or more runs."""
    if len(runs) != 2:
        return None

    def views(comparison: Comparison) -> ReportFigures:
        return ReportFigures(panels, asked.criterion, comparison.criterion)

    return story_of(session, runs, asked.criterion, str(asked.threshold or ""), views)
