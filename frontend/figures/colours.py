"""The colours: two themes, and one stable colour and dash for each run (after Okabe and Ito 2008)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Theme = Literal["light", "dark"]

SCRATCH = "scratch"
"""The only kind of initialisation drawn in orange; every other one starts from trained weights."""


@dataclass(frozen=True)
class Palette:
    """Colours of one theme; `paper`, `ink`, `muted` and `line` equal the stylesheet's tokens."""

    paper: str
    ink: str
    muted: str
    line: str
    grid: str
    blues: tuple[str, ...]
    oranges: tuple[str, ...]
    components: tuple[str, ...]
    """For the parts of a loss, in which blue and orange would name a run."""
    neutral: str
    """The middle of a diverging scale."""


PALETTES: dict[Theme, Palette] = {
    "light": Palette(
        paper="#ffffff",
        ink="#1a1e24",
        muted="#59636f",
        line="#dfe3e8",
        grid="#eef0f3",
        blues=("#3c9bdc", "#1b3f8b", "#0072b2", "#6f86d6"),
        oranges=("#b8860b", "#e69f00", "#a23b00", "#d55e00"),
        components=("#009e73", "#cc79a7", "#7a6a00", "#4b5563", "#7b4fa3", "#94a3b8"),
        neutral="#f4f5f7",
    ),
    "dark": Palette(
        paper="#14171b",
        ink="#e6e9ed",
        muted="#9aa4b0",
        line="#2b3138",
        grid="#22272d",
        blues=("#9ad0f5", "#6f8dff", "#4aa8e8", "#2f86c6"),
        oranges=("#d9a066", "#ffc04d", "#ff6f4a", "#f08a3c"),
        components=("#35c79a", "#e39ac4", "#d8cb4a", "#b8c0ca", "#b794e0", "#7d8a99"),
        neutral="#2a2f36",
    ),
}


def hue(init: str) -> Literal["blue", "orange"]:
    """Return the family of a run's colour: orange from scratch, blue from trained weights."""
    return "orange" if init == SCRATCH else "blue"


def colour_class(run_id: int, init: str) -> str:
    """Return the stylesheet's class of a run's colour, such as `blue-0`; it never changes."""
    return f"{hue(init)}-{run_id % 4}"


def run_colour(run_id: int, init: str, theme: Theme) -> str:
    """Return a run's colour in one theme, the same that `colour_class` gives on the page."""
    family = PALETTES[theme].oranges if hue(init) == "orange" else PALETTES[theme].blues
    return family[run_id % 4]
