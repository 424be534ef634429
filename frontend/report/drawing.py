"""A report's figures: drawn in both themes, with what moves in them, within the room that a file may take."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from frontend import gather
from frontend.figure_catalogue import figure
from frontend.figures.axes import union_of_iterations
from frontend.figures.colours import Theme
from frontend.report.contents import Panel
from frontend.report.motion import Move, moves, thinned
from frontend.report.packing import Store, differences
from frontend.report.request import ReportRequest

MOST_BYTES = 18_000_000
"""Of all that moves. As compressed text it takes some 0.55 of that, beside 2 MB of plotly.js: a file of at most some
15 MB can still be sent by mail."""
METRICS = ("losses", "average_precision", "learning_rate", "metric")
"""Figures whose x is the iteration itself and not the place of a snapshot."""


@dataclass(frozen=True)
class DrawnPanel:
    """A panel's figure as plotly JSON in the light theme, what differs in the dark one, and what moves."""

    panel: Panel
    light: dict[str, Any]
    dark: list[tuple[list[str | int], Any]]
    moves: list[Move]
    iteration: int | None
    """The iteration that was asked for."""

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
    def snapshots(self) -> list[int]:
        """The iterations behind its axis, or through which it moves."""
        axis: list[int] = self.light["layout"]["meta"].get("iterations", [])
        return union_of_iterations([axis, *(move.iterations for move in self.moves)])

    def packed(self, store: Store) -> dict[str, Any]:
        """Return what the report's script reads; arrays go into the store."""
        return {
            "light": self.light,
            "dark": self.dark,
            "moves": [_packed_move(move, store) for move in self.moves],
            "metric": self.panel.figure in METRICS,
            "follows": "iteration" in self.panel.reads and bool(self.moves),
        }


@dataclass(frozen=True)
class Drawing:
    """All figures; `thinned` are the snapshots kept of how many, None where all are."""

    panels: list[DrawnPanel]
    iterations: list[int]
    start: int
    thinned: tuple[int, int] | None

    @property
    def moving(self) -> bool:
        """Whether there is anything that a cursor can move through."""
        return bool(self.iterations)


def drawings(session: Session, panels: Sequence[Panel], asked: ReportRequest) -> Drawing:
    """Draw all panels, with no more snapshots than there is room for."""
    drawn = [_drawn(session, panel, asked) for panel in panels]
    most = max((len(move.iterations) for one in drawn for move in one.moves), default=0)
    size = sum(array.nbytes for one in drawn for move in one.moves for array in move.arrays.values())
    count = most
    if size > MOST_BYTES:
        count = max(2, most * MOST_BYTES // size)
        drawn = [
            replace(one, moves=[thinned(move, asked.iteration, count) for move in one.moves]) for one in drawn
        ]
    moving = [move.iterations for one in drawn for move in one.moves]
    iterations = union_of_iterations(moving or [one.snapshots for one in drawn])
    start = gather.last_at(iterations, asked.iteration) or 0
    return Drawing(drawn, iterations, start, (count, most) if count < most else None)


def _drawn(session: Session, panel: Panel, asked: ReportRequest) -> DrawnPanel:
    light, dark = (_plotly_json(session, panel, asked, theme) for theme in ("light", "dark"))
    found = moves(session, panel, asked, light["data"])
    return DrawnPanel(panel, light, differences(light, dark), found, asked.iteration)


def _plotly_json(session: Session, panel: Panel, asked: ReportRequest, theme: Theme) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(figure(session, panel.figure, panel.request(asked, theme)).to_json())
    # Names as they are, which nothing here reads: labels hold them as text.
    del made["layout"]["meta"]["layers"]
    return made


def _packed_move(move: Move, store: Store) -> dict[str, Any]:
    arrays = {name: store.add(values) for name, values in move.arrays.items()}
    return {"trace": move.trace, "iterations": list(move.iterations), "arrays": arrays}
