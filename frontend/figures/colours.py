"""The colours: two themes, and one stable colour and dash for each run (after Okabe and Ito 2008)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Theme = Literal["light", "dark"]

Hue = Literal["blue", "orange", "grey"]

HUES: dict[str, Hue] = {"scratch": "orange", "unknown": "grey"}
"""Kinds of initialisation that are not drawn in blue, the colour of every run that starts from trained weights."""


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
    greys: tuple[str, ...]
    """For runs of which nobody said where they started; grey is no colour that the colour-blind mistake."""
    components: tuple[str, ...]
    """For the parts of a loss, in which blue, orange and grey would name a run."""
    ends: tuple[str, str]
    """Of a difference between two runs of one hue: where the first is higher, where the second is."""
    neutral: str
    """The middle of a diverging scale."""


PALETTES: dict[Theme, Palette] = {
    "light": Palette(
        paper="#ffffff",
        ink="#1a1e24",
        muted="#59636f",
        line="#dfe3e8",
        grid="#eef0f3",
        blues=("#3fa9dd", "#1b2f6b", "#0072b2", "#8a83ee"),
        oranges=("#b9a04c", "#f09a00", "#7d2f12", "#d55e00"),
        greys=("#525a64", "#16191d", "#abb2ba", "#7f8893"),
        components=("#009e73", "#dd8fb8", "#6b6200", "#7440a8", "#5c1638", "#86b8a0"),
        ends=("#7b3294", "#00803f"),
        neutral="#f4f5f7",
    ),
    "dark": Palette(
        paper="#14171b",
        ink="#e6e9ed",
        muted="#9aa4b0",
        line="#2b3138",
        grid="#22272d",
        blues=("#c3dcfb", "#5d6bf0", "#4aa8e8", "#76769c"),
        oranges=("#c99a72", "#f7d885", "#d0492c", "#f08a3c"),
        greys=("#b6bec7", "#f6f8fa", "#5f6973", "#88929d"),
        components=("#2bb58a", "#f0b6d6", "#d8cb4a", "#a078e0", "#b8416c", "#c3e8d6"),
        ends=("#c58fe0", "#4fbf7f"),
        neutral="#2a2f36",
    ),
}


def hue(init: str) -> Hue:
    """Return the family of a run's colour: orange from scratch, blue from trained weights, grey unknown."""
    return HUES.get(init, "blue")


def colour_class(run_id: int, init: str) -> str:
    """Return the stylesheet's class of a run's colour, such as `blue-0`; it never changes."""
    return f"{hue(init)}-{run_id % 4}"


def run_colour(run_id: int, init: str, theme: Theme) -> str:
    """Return a run's colour in one theme, the same that `colour_class` gives on the page."""
    palette = PALETTES[theme]
    families = {"blue": palette.blues, "orange": palette.oranges, "grey": palette.greys}
    return families[hue(init)][run_id % 4]
