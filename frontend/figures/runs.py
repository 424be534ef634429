"""What a figure knows of a run: enough to name and colour it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from frontend.figures.colours import Theme, colour_class, hue, run_colour
from frontend.figures.labels import label

PATTERNS = {
    "solid": "solid",
    "dash": "dash",
    "dot": "dot",
    "dashdot": "dashdot",
    "longdash": "longdash",
    "dashdotdot": "9px,3px,2px,3px,2px,3px",
    "sparse": "3px,8px",
    "morse": "14px,3px,5px,3px",
}
"""Dashes by the names that the stylesheet has for them, and what plotly calls them."""
BOLD = "bold"
DASHES = (*PATTERNS, *(f"{name} {BOLD}" for name in PATTERNS))
"""Sixteen strokes, as many as one view has runs: all of them may have one colour."""


@dataclass(frozen=True)
class FigureRun:
    """A run in a figure; `init` is the kind of its initialisation, `seed` None where nobody said.

    Runs of one `recipe` differ in nothing that is known to matter but their seed and first weights.
    """

    id: int
    name: str
    init: str
    dash: str = DASHES[0]
    tags: tuple[str, ...] = ()
    seed: int | None = None
    recipe: str = ""

    @property
    def text(self) -> str:
        """The run's name as plotly text."""
        return label(self.name)

    @property
    def legend(self) -> str:
        """What a trace is called, as plotly text."""
        return self.text

    @property
    def meta(self) -> dict[str, Any]:
        """What a page needs to know of a trace of the run."""
        return {"run": self.id}

    def line(self, theme: Theme, width: float = 1.75) -> dict[str, Any]:
        """Return the line of this run's traces."""
        return line_style(self.id, self.init, self.dash, theme, width)


def line_style(number: int, init: str, dash: str, theme: Theme, width: float) -> dict[str, Any]:
    """Return a line in the colour of that number, with one of `DASHES`."""
    pattern, _, bold = dash.partition(" ")
    heavy = 1.9 if bold else 1.0
    return {"color": run_colour(number, init, theme), "dash": PATTERNS[pattern], "width": heavy * width}


def told_apart(runs: Sequence[FigureRun]) -> list[FigureRun]:
    """Return the runs, those whose colour another one has already with a dash."""
    seen: Counter[str] = Counter()
    found = []
    for run in runs:
        colour = stroke_class(run.id, run.init)
        found.append(replace(run, dash=DASHES[seen[colour] % len(DASHES)]))
        seen[colour] += 1
    return found


def stroke_class(number: int, init: str) -> str:
    """Return what a colour is called among those that must be parted by a dash.

    Greys differ in lightness alone, so that any two of them are.
    """
    return "grey" if hue(init) == "grey" else colour_class(number, init)
