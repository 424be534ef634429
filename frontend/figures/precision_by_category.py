"""Average precision of each category at one evaluation, runs beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from frontend.figures.colours import PALETTES, Theme
from frontend.figures.labels import label
from frontend.figures.runs import FigureRun
from frontend.figures.theme import make_figure

SHOWN_AT_MOST = 80
"""Categories, as many as COCO has; of more the best and the worst are drawn."""
ROW, BAR = 12, 8
"""Pixels of a category's gap with its name, and of each of its bars."""
SCROLLED_FROM = 180
"""Pixels of rows from which the figure is as high as it needs, and not as high as its place."""
TICK_LETTERS = 20


@dataclass(frozen=True)
class CategoryBars:
    """One run's AP by category, 0 … 1 or NaN, at `iteration`; of masks where `masks` says so."""

    run: FigureRun
    iteration: int
    values: Mapping[str, float]
    masks: bool = False

    @property
    def legend(self) -> str:
        """What its bars are called, as plotly text."""
        return f"{self.run.legend}, masks" if self.masks else self.run.legend


def precision_by_category(bars: Sequence[CategoryBars], theme: Theme = "light") -> go.Figure:
    """Draw horizontal bars in percent, the best category of the first bars on top; one without a value comes last."""
    names = _ranked(bars)
    notes = []
    if len(names) > SHOWN_AT_MOST:
        half = SHOWN_AT_MOST // 2
        notes = [
            f"Of {len(names):,} categories the {half} best and the {half} worst are drawn; the API has all."
        ]
        names = names[:half] + names[-half:]
    # Names may be equal once they are cut, so the axis counts the categories and shows their names.
    places = [str(place) for place in range(len(names))]
    height = len(names) * (ROW + BAR * len(bars))
    several = len(bars) > 1
    return make_figure(
        theme,
        "Average precision by category",
        [_bars(one, names, places, theme, not several) for one in bars] if names else [],
        names=names,
        notes=notes,
        height=height + 80 if height > SCROLLED_FROM else None,
        barmode="group",
        bargap=0.35,
        bargroupgap=0,
        margin={"l": 8, "r": 24, "t": 32 if several else 8, "b": 44},
        xaxis={"title": {"text": "AP (%)"}, "rangemode": "tozero"},
        yaxis={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": places,
            "tickmode": "array",
            "tickvals": places,
            "ticktext": [label(name, TICK_LETTERS) for name in names],
            "autorange": "reversed",
            "automargin": True,
            "showgrid": False,
            "ticks": "",
        },
        legend={"traceorder": "normal", "y": 1, "yref": "paper"},
        hovermode="closest",
        showlegend=several,
    )


def _ranked(bars: Sequence[CategoryBars]) -> list[str]:
    names = dict.fromkeys(name for one in bars for name, value in one.values.items() if np.isfinite(value))
    return sorted(names, key=lambda name: [-_or_last(one.values.get(name)) for one in bars])


def _or_last(value: float | None) -> float:
    return value if value is not None and np.isfinite(value) else -1.0


def _bars(
    one: CategoryBars, names: Sequence[str], places: Sequence[str], theme: Theme, numbered: bool
) -> go.Bar:
    values = np.array([one.values.get(name, np.nan) for name in names], dtype=np.float64)
    texts = [label(name) for name in names]
    return go.Bar(
        x=(100 * values).astype(np.float32),
        y=list(places),
        orientation="h",
        name=one.legend,
        marker={
            "color": one.run.line(theme)["color"],
            "opacity": 0.5 if one.masks else 1,
            "line": {"width": 0},
        },
        customdata=texts,
        texttemplate="%{x:.1f}" if numbered else None,
        textposition="outside" if numbered else "none",
        textfont={"size": 10, "color": PALETTES[theme].muted},
        cliponaxis=False,
        hovertemplate=(
            f"%{{customdata}}<br><b>%{{x:.1f}} %</b> at iteration {one.iteration:,}<extra>%{{fullData.name}}</extra>"
        ),
        meta={**one.run.meta, "iteration": one.iteration},
    )
