"""Figures for a paper: as wide as a column, on white, with letters of a size that is read in print."""

from __future__ import annotations

import re
from dataclasses import dataclass

import plotly.graph_objects as go

from backend.errors import InvalidInput
from frontend.figures.colours import PALETTES
from frontend.figures.theme import MARGIN

PIXELS_PER_INCH = 96
POINTS_PER_INCH = 72
MILLIMETRES_PER_INCH = 25.4
LETTERS = 12
"""Pixels of a figure's letters on a page: what `font_pt` becomes in print; tick labels are a little smaller."""
FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"
LIMITS_MM = (20.0, 1000.0)
LIMITS_PT = (4.0, 48.0)
KEY_HEIGHT = 18
"""Pixels of a row of the legend, and about those of a letter in it."""
KEY_LETTER = 5.5
KEY_LINE = 44


@dataclass(frozen=True)
class Paper:
    """The size in print: one column of two, unless said otherwise."""

    width_mm: float = 84.0
    height_mm: float = 63.0
    font_pt: float = 8.0

    def __post_init__(self) -> None:
        for name, millimetres in (("width", self.width_mm), ("height", self.height_mm)):
            if not LIMITS_MM[0] <= millimetres <= LIMITS_MM[1]:
                limits = " and ".join(f"{limit:g}" for limit in LIMITS_MM)
                raise InvalidInput(
                    f"the {name} of a figure must lie between {limits} mm, it is {millimetres:g} mm"
                )
        if not LIMITS_PT[0] <= self.font_pt <= LIMITS_PT[1]:
            limits = " and ".join(f"{limit:g}" for limit in LIMITS_PT)
            raise InvalidInput(
                f"letters of a figure must lie between {limits} points, they are {self.font_pt:g}"
            )

    @property
    def pixels(self) -> tuple[int, int]:
        """How large the figure is drawn: so that its letters, lines and margins keep their proportions."""
        inches = (self.width_mm / MILLIMETRES_PER_INCH, self.height_mm / MILLIMETRES_PER_INCH)
        scale = POINTS_PER_INCH / self.font_pt * LETTERS
        return round(inches[0] * scale), round(inches[1] * scale)

    def scale(self, dpi: float) -> float:
        """Return how many pixels of an image with so many dots per inch one drawn pixel becomes."""
        return dpi * self.width_mm / MILLIMETRES_PER_INCH / self.pixels[0]


def on_paper(figure: go.Figure, paper: Paper) -> go.Figure:
    """Return a copy of a figure as a paper wants it: no title, on white, a legend where it shows several runs."""
    copy = go.Figure(figure)
    names = _named_once(copy) if len({trace.name for trace in copy.data if trace.name}) > 1 else []
    width, height = paper.pixels
    margin = {**MARGIN, **copy.layout.margin.to_plotly_json()}
    if names:
        margin["t"] = max(margin["t"], 8 + KEY_HEIGHT * _rows(names, width - margin["l"] - margin["r"]))
    copy.update_layout(
        width=width,
        height=height,
        margin=margin,
        title=None,
        showlegend=bool(names),
        legend={"tracegroupgap": 0, "font": {"color": PALETTES["light"].ink}},
        font_family=FONT,
        paper_bgcolor="#ffffff",
        plot_bgcolor="#ffffff",
    )
    return copy


def svg_in_millimetres(svg: str, paper: Paper) -> str:
    """Return plotly's SVG with its size in print: what is drawn keeps its own measure."""
    size = f'width="{paper.width_mm:g}mm" height="{paper.height_mm:g}mm"'
    return re.sub(r'(<svg [^>]*?)width="[\d.]+" height="[\d.]+"', rf"\1{size}", svg, count=1)


def _named_once(figure: go.Figure) -> list[str]:
    """Let the legend show each run's first line and return the names."""
    names: list[str] = []
    for trace in figure.data:
        if trace.type == "heatmap" or not trace.name:
            continue
        faint = trace.hoverinfo == "skip"
        trace.update(showlegend=not faint and trace.name not in names, legendgroup=trace.name)
        if trace.showlegend:
            names.append(trace.name)
    return names


def _rows(names: list[str], width: float) -> int:
    widest = KEY_LINE + KEY_LETTER * max(len(name) for name in names)
    columns = max(1, int(width // widest))
    return -(-len(names) // columns)
