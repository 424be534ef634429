"""What a figure knows of a run: enough to name and colour it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from frontend.figures.colours import Theme, run_colour, run_dash
from frontend.figures.labels import label


@dataclass(frozen=True)
class FigureRun:
    """A run in a figure; `init` is the kind of its initialisation."""

    id: int
    name: str
    init: str

    @property
    def text(self) -> str:
        """The run's name as plotly text."""
        return label(self.name)

    def line(self, theme: Theme, width: float = 1.75) -> dict[str, Any]:
        """Return the line of this run's traces."""
        return {"color": run_colour(self.id, self.init, theme), "dash": run_dash(self.id), "width": width}
