"""A report's figures: drawn in both themes, with what moves in them, within the room that a file may take."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from frontend.figure_catalogue import figure
from frontend.figures.colours import Theme
from frontend.report.contents import Panel
from frontend.report.cursor import Cursor
from frontend.report.motion import moves
from frontend.report.move import Move, thinned, union_of_steps
from frontend.report.packing import Store, differences
from frontend.report.request import ReportRequest

MOST_BYTES = 18_000_000
"""Of all that moves. As compressed text it takes some 0.55 of that, beside 2 MB of plotly.js: a file of at most some
15 MB can still be sent by mail."""
METRICS = ("losses", "average_precision", "learning_rate", "metric")
"""Figures whose x is the iteration itself and not the place of a snapshot."""
HEATMAPS = ("heatmap", "heatmap_difference")
"""Figures whose columns are the snapshots of the first of their runs, whatever the axis counts."""
_AT = re.compile(r"<br>iteration [\d,]+|, at (?:their )?iterations? [\d,]+(?: to [\d,]+)?(?=\.$)")
"""Where a figure says that it stands, at the end of a hover or of a note: there it would not follow the cursor."""


@dataclass(frozen=True)
class DrawnPanel:
    """A panel's figure as plotly JSON in the light theme, what differs in the dark one, and what moves."""

    panel: Panel
    light: dict[str, Any]
    dark: list[tuple[list[str | int], Any]]
    moves: list[Move]
    iteration: int | None
    """The iteration that was asked for."""
    marked: bool
    """Whether one line across it is where the cursor stands."""

    @property
    def tall(self) -> bool:
        """Whether it needs height to be read."""
        return self.panel.tall

    @property
    def caption(self) -> str:
        """The figure's title as plain text."""
        return html.unescape(self.light["layout"]["meta"]["title"])

    @property
    def note(self) -> str:
        """At which iteration a figure of one stands that does not follow the cursor."""
        if self.moves or "iteration" not in self.panel.reads:
            return ""
        return "at the last snapshot" if self.iteration is None else f"at iteration {self.iteration:,}"

    @property
    def empty(self) -> str:
        """Why there is nothing to see; empty where there is something."""
        return str(self.light["layout"]["meta"].get("empty", ""))

    @property
    def notes(self) -> list[str]:
        """Sentences on what is drawn."""
        said = () if self.empty else self.light["layout"]["meta"].get("notes", ())
        return [_AT.sub("", note) if self.moves else note for note in said]

    def snapshots(self, cursor: Cursor) -> tuple[float, ...]:
        """The steps behind its axis, or through which it moves."""
        axis: list[int] = self.light["layout"]["meta"].get("iterations", [])
        behind = cursor.steps(self.panel.runs[0], axis) if self.marked else ()
        return union_of_steps([behind, *(move.steps for move in self.moves)])

    def packed(self, store: Store) -> dict[str, Any]:
        """Return what the report's script reads; arrays go into the store."""
        return {
            "light": self.light,
            "dark": self.dark,
            "moves": [_packed_move(move, store) for move in self.moves],
            "run": self.panel.runs[0],
            "marked": self.marked,
            "metric": self.panel.figure in METRICS,
            "follows": "iteration" in self.panel.reads and bool(self.moves),
        }


@dataclass(frozen=True)
class Drawing:
    """All figures; `steps` are the cursor's, `thinned` the snapshots kept of how many, None where all are."""

    panels: list[DrawnPanel]
    steps: tuple[float, ...]
    start: int
    thinned: tuple[int, int] | None

    @property
    def moving(self) -> bool:
        """Whether there is anything that a cursor can move through."""
        return bool(self.steps)


def drawings(session: Session, panels: Sequence[Panel], asked: ReportRequest, cursor: Cursor) -> Drawing:
    """Draw all panels, with no more snapshots than there is room for."""
    drawn = [_drawn(session, panel, asked, cursor) for panel in panels]
    most = max((len(move.steps) for one in drawn for move in one.moves), default=0)
    size = sum(array.nbytes for one in drawn for move in one.moves for array in move.arrays.values())
    count = most
    if size > MOST_BYTES:
        count = max(2, most * MOST_BYTES // size)
        drawn = [replace(one, moves=[thinned(move, cursor.at, count) for move in one.moves]) for one in drawn]
    moving = [move.steps for one in drawn for move in one.moves]
    steps = union_of_steps(moving or [one.snapshots(cursor) for one in drawn])
    return Drawing(drawn, steps, cursor.start(steps), (count, most) if count < most else None)


def _drawn(session: Session, panel: Panel, asked: ReportRequest, cursor: Cursor) -> DrawnPanel:
    light, dark = (_plotly_json(session, panel, asked, theme) for theme in ("light", "dark"))
    found = moves(session, panel, asked, cursor, light["data"])
    moved = {move.trace for move in found}
    for place, trace in enumerate(light["data"]):
        if panel.figure == "dimension_by_depth" and place in moved and "hovertemplate" in trace:
            trace["hovertemplate"] = dark["data"][place]["hovertemplate"] = _AT.sub(
                "", trace["hovertemplate"]
            )
    return DrawnPanel(
        panel, light, differences(light, dark), found, asked.iteration, _marked(panel, asked, cursor)
    )


def _marked(panel: Panel, asked: ReportRequest, cursor: Cursor) -> bool:
    if panel.figure in HEATMAPS:
        return True
    counted_in_iterations = asked.view.parameters["x"] == "iteration"
    return counted_in_iterations and (cursor.same_for_all or len(panel.runs) == 1)


def _plotly_json(session: Session, panel: Panel, asked: ReportRequest, theme: Theme) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(figure(session, panel.figure, panel.request(asked, theme)).to_json())
    # Names as they are, which nothing here reads: labels hold them as text.
    del made["layout"]["meta"]["layers"]
    return made


def _packed_move(move: Move, store: Store) -> dict[str, Any]:
    arrays = {name: store.add(values) for name, values in move.arrays.items()}
    return {"trace": move.trace, "steps": list(move.steps), "arrays": arrays}
