"""What a figure knows of a run: enough to name and colour it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from frontend.figures.colours import Theme, colour_class, hue, run_colour
from frontend.figures.labels import label

DASHES = ("solid", "dash", "dot", "dashdot")


@dataclass(frozen=True)
class FigureRun:
    """A run in a figure; `init` is the kind of its initialisation."""

    id: int
    name: str
    init: str
    dash: str = DASHES[0]

    @property
    def text(self) -> str:
        """The run's name as plotly text."""
        return label(self.name)

    def line(self, theme: Theme, width: float = 1.75) -> dict[str, Any]:
        """Return the line of this run's traces."""
        return {"color": run_colour(self.id, self.init, theme), "dash": self.dash, "width": width}


def told_apart(runs: Sequence[FigureRun]) -> list[FigureRun]:
    """Return the runs, those whose colour another one has already with a dash.

    Greys differ in lightness alone, so that any two of them are parted by a dash.
    """
    seen: dict[str, int] = {}
    found = []
    for run in runs:
        colour = "grey" if hue(run.init) == "grey" else colour_class(run.id, run.init)
        found.append(replace(run, dash=DASHES[seen.get(colour, 0) % len(DASHES)]))
        seen[colour] = seen.get(colour, 0) + 1
    return found
