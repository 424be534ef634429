"""Draws docs/images/criteria.png and its dark twin, with the criteria as the code computes them: `make docs`."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from plotly.offline import get_plotlyjs
from plotly.subplots import make_subplots

from backend.spectra.criteria import CRITERIA, Criterion, dimensionality
from backend.spectra.fit import fitted_power_law
from frontend.figures.colours import PALETTES, Theme
from frontend.figures.theme import template

HERE = Path(__file__).parent
WIDTH, HEIGHT, SCALE = 1120, 1180, 2
COLUMNS = 2
COLOURS = 128
BOTTOM, TOP = -6.8, 4.2
"""Decades of eigenvalues, alike in all panels."""
LEVEL = 1e-3
"""τ of the absolute criterion and λ of the degrees of freedom."""

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

MARKS: dict[Criterion, tuple[str, str, str]] = {
    "absolute": ("circle", "●", "#0072b2"),
    "degrees_of_freedom": ("circle-open", "○", "#3c9bdc"),
    "variance": ("diamond", "◆", "#c98a00"),
    "relative": ("square", "■", "#009e73"),
    "effective_rank": ("triangle-up", "▲", "#d55e00"),
    "participation_ratio": ("triangle-down", "▼", "#cc79a7"),
    "stable_rank": ("x", "✖", "#9467bd"),
}
"""Each criterion's symbol in the plot and in text, and its colour on either ground (after Okabe and Ito 2008)."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One spectrum (C,), what it is, and what it shows."""

    title: str
    note: str
    eigenvalues: NDArray[np.float64]


def panels() -> list[Panel]:
    """Return the six spectra of the page; the measured ones are those of docs/criteria_spectra.py."""
    ranks = np.arange(1, 1025, dtype=np.float64)
    flat = np.where(ranks[:512] <= 64, 0.1, 5e-5 * (ranks[:512] / 65) ** -0.5)
    with np.load(HERE / "criteria_spectra.npz") as stored:
        measured = {name: stored[name].astype(np.float64) for name in stored.files}
    return [
        Panel("A power law, λ<sub>j</sub> = 1/j", "made; 1,024 channels", 1 / ranks),
        Panel("64 equal directions over noise", "made; 512 channels", flat),
        Panel("A trained block", "layer3.5 of 1,024 channels, 46 images", measured["trained"]),
        Panel("The same, of one image", "1 position a channel instead of 49", measured["one_image"]),
        Panel("A quarter of the rank, by construction", "layer3.5.conv3", measured["narrow"]),
        Panel(
            "A large mean", "layer2.3, untrained; λ<sub>1</sub> is 98 % of the trace", measured["untrained"]
        ),
    ]


def figure(theme: Theme) -> go.Figure:
    """Return the panels, each with its criteria marked on the spectrum and listed below it."""
    shown = panels()
    rows = len(shown) // COLUMNS
    drawn = make_subplots(rows, COLUMNS, horizontal_spacing=0.06, vertical_spacing=0.075)
    drawn.update_layout(
        template=template(theme),
        width=WIDTH,
        height=HEIGHT,
        showlegend=False,
        margin={"l": 64, "r": 16, "t": 44, "b": 48},
    )
    ticks = [1, 10, 100, 1000]
    drawn.update_xaxes(type="log", range=[-0.04, 3.06], tickvals=ticks, ticktext=["1", "10", "100", "1,000"])
    drawn.update_yaxes(
        type="log", range=[BOTTOM, TOP], dtick=2, exponentformat="power", tickfont={"size": 10}
    )
    drawn.update_xaxes(title="index j of the eigenvalue", row=rows)
    drawn.update_yaxes(title="eigenvalue λ<sub>j</sub>", col=1)
    for index, panel in enumerate(shown):
        place = {"row": index // COLUMNS + 1, "col": index % COLUMNS + 1}
        for trace in _traces(panel, theme):
            drawn.add_trace(trace, **place)
        for words in _words(panel, theme):
            drawn.add_annotation(words, xref="x domain", yref="y domain", showarrow=False, **place)
    return drawn


def _traces(panel: Panel, theme: Theme) -> list[go.Scatter]:
    palette, values = PALETTES[theme], panel.eigenvalues
    ranks = np.arange(1, len(values) + 1)
    level = go.Scatter(
        x=[34, 1150], y=[LEVEL, LEVEL], mode="lines", line={"color": palette.muted, "width": 1, "dash": "dot"}
    )
    curve = go.Scatter(x=ranks, y=values, mode="lines", line={"color": palette.ink, "width": 1.75})
    law = fitted_power_law(values)
    ends = [1, law.ranks] if law else []
    line = go.Scatter(
        x=ends,
        y=[law.at(rank) for rank in ends] if law else [],
        mode="lines",
        line={"color": palette.muted, "width": 1.5, "dash": "dash"},
    )
    return [level, line, curve, *(_mark(values, name, palette.paper) for name in MARKS)]


def _mark(values: NDArray[np.float64], name: Criterion, paper: str) -> go.Scatter:
    symbol, _, colour = MARKS[name]
    at = max(float(dimensionality(values, name)), 1.0)
    height = np.exp(
        np.interp(np.log(at), np.log(np.arange(1, len(values) + 1)), np.log(np.maximum(values, 1e-30)))
    )
    hollow = symbol.endswith("-open")
    line = {"color": colour if hollow else paper, "width": 2 if hollow else 1}
    marker = {"symbol": symbol, "size": 11, "color": colour, "line": line}
    return go.Scatter(x=[at], y=[float(height)], mode="markers", marker=marker)


def _words(panel: Panel, theme: Theme) -> list[dict[str, Any]]:
    palette = PALETTES[theme]
    title = f"<b>{panel.title}</b>  <span style='color:{palette.muted}'>{panel.note}</span>"
    level = (np.log10(LEVEL) - BOTTOM) / (TOP - BOTTOM)
    glyphs = [*((glyph, colour) for _, glyph, colour in MARKS.values()), ("╌", palette.muted)]
    names: list[Criterion] = [*MARKS, "power_law"]
    muted = {"color": palette.muted, "size": 12}
    return [
        {"text": title, "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "font": {"size": 13}},
        {
            "text": "τ",
            "x": 0.52,
            "y": level,
            "xanchor": "left",
            "yanchor": "bottom",
            "font": muted,
        },
        _column([f"<span style='color:{colour}'>{glyph}</span>" for glyph, colour in glyphs], 0.01, "left"),
        _column([CRITERIA[name].label for name in names], 0.045, "left"),
        _column([f"<b>{number(panel, name)}</b>" for name in names], 0.5, "right"),
    ]


def _column(lines: list[str], x: float, side: str) -> dict[str, Any]:
    text = "<br>".join(lines)
    return {
        "text": text,
        "x": x,
        "xanchor": side,
        "align": side,
        "y": 0.01,
        "yanchor": "bottom",
        "font": {"size": 12},
    }


def number(panel: Panel, criterion: Criterion) -> str:
    """Return what the criterion says of the panel's spectrum, as the page writes it."""
    value = float(dimensionality(panel.eigenvalues, criterion))
    if CRITERIA[criterion].unit == "slope":
        return f"{value:.2f}"
    return f"{value:,.0f}" if value >= 100 or value.is_integer() else f"{value:.3g}"


def save(browser: Browser, theme: Theme, file: Path) -> None:
    """Write the figure as a PNG, drawn by the plotly.js that the pages use."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE)
    page.set_content("<body style='margin:0'><div id='plot'></div></body>")
    page.add_script_tag(content=get_plotlyjs())
    drawn = figure(theme).to_json()
    page.evaluate(
        "(text) => { const f = JSON.parse(text); return Plotly.newPlot('plot', f.data, f.layout); }", drawn
    )
    picture = Image.open(BytesIO(page.locator("#plot").screenshot()))
    # A drawing of few colours: a palette takes a quarter of the bytes.
    picture.convert("RGB").quantize(COLOURS).save(file, optimize=True)
    page.close()


def main() -> None:
    """Draw both."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        sys.exit("the figure is drawn by Chromium; install it (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        for theme in get_args(Theme):
            save(browser, theme, HERE / "images" / f"criteria{'' if theme == 'light' else '-dark'}.png")
        browser.close()


if __name__ == "__main__":
    main()
