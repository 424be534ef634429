"""Figures for a paper: their size in print, their letters, and what is missing where they cannot be drawn."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image
from sqlalchemy.orm import Session

from backend.database import Database
from backend.errors import InvalidInput, Unavailable
from backend.settings import Settings
from eigenscope.images import Print, save_figure, save_figures
from frontend.figure_catalogue import figure
from frontend.figure_request import FigureRequest
from frontend.figures.paper import Paper, on_paper, svg_in_millimetres


@pytest.fixture
def session(seeded: tuple[Settings, dict[str, int]]) -> Iterator[Session]:
    """Yield a session that reads the seeded database."""
    database = Database(seeded[0].database)
    with database.reading() as opened:
        yield opened
    database.dispose()


@pytest.fixture
def drawn(session: Session, roles: dict[str, int]) -> Callable[..., go.Figure]:
    """Return a function that draws a figure of I and S, or of one of them."""

    def draw(name: str, *runs: int) -> go.Figure:
        ids = ",".join(map(str, runs or (roles["I"], roles["S"])))
        return figure(session, name, FigureRequest(runs=ids, layer="layer3.1"))

    return draw


@pytest.fixture
def kaleido(chromium: str, monkeypatch: pytest.MonkeyPatch, absent: Callable[[str], NoReturn]) -> None:
    """Draw with the tests' Chromium."""
    if find_spec("kaleido") is None:
        absent("needs kaleido: pip install 'eigenscope[images]'")
    monkeypatch.setenv("BROWSER_PATH", chromium)


def test_letters_keep_their_size_whatever_the_width() -> None:
    for paper in (Paper(), Paper(174, 100), Paper(84, 63, font_pt=6)):
        width, height = paper.pixels
        points_per_pixel = paper.width_mm / 25.4 * 72 / width
        assert 12 * points_per_pixel == pytest.approx(paper.font_pt, rel=0.01)
        assert width / height == pytest.approx(paper.width_mm / paper.height_mm, rel=0.01)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ((5.0, 63.0), "the width of a figure must lie between 20 and 1000 mm, it is 5 mm"),
        ((84.0, 5000.0), "the height of a figure must lie between 20 and 1000 mm, it is 5000 mm"),
        ((84.0, 63.0, 1.0), "letters of a figure must lie between 4 and 48 points, they are 1"),
        ((float("nan"), 63.0), "the width of a figure must lie between"),
    ],
)
def test_sizes_that_no_paper_has_are_refused(values: tuple[float, ...], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        Paper(*values)


def test_lines_of_several_runs_are_named_once(drawn: Callable[..., go.Figure]) -> None:
    for name in ("spectrum", "losses", "dimension_by_depth"):
        figure_on_paper = on_paper(drawn(name), Paper())
        shown = [trace.name for trace in figure_on_paper.data if trace.showlegend]
        assert shown == ["I: Faster R-CNN, ResNet-18 FPN", "S: Faster R-CNN, ResNet-18 FPN"]
        assert figure_on_paper.layout.showlegend is True
        assert figure_on_paper.layout.margin.t >= 36
    alone = on_paper(drawn("spectrum", 2), Paper())
    assert alone.layout.showlegend is False
    heatmap = on_paper(drawn("heatmap", 2), Paper())
    assert heatmap.layout.showlegend is False


def test_the_figure_that_was_given_stays_as_it_was(drawn: Callable[..., go.Figure]) -> None:
    given = drawn("spectrum")
    before = given.to_json()
    on_paper(given, Paper())
    assert given.to_json() == before


def test_a_comparison_has_four_charts_with_axes_of_their_own(drawn: Callable[..., go.Figure]) -> None:
    one = drawn("compare")
    assert {trace.xaxis for trace in one.data} == {"x", "x2", "x3", "x4"}
    for trace in one.data:
        assert trace.yaxis == trace.xaxis.replace("x", "y")
    alone = drawn("dimension_by_depth")
    moved = [trace for trace in one.data if trace.xaxis == "x3"]
    np.testing.assert_array_equal(moved[1].y, alone.data[1].y)
    assert one.layout.xaxis3.categoryarray == alone.layout.xaxis.categoryarray
    assert one.layout.yaxis.range == drawn("spectrum").layout.yaxis.range
    domains = [(one.layout[f"xaxis{k}"].domain, one.layout[f"yaxis{k}"].domain) for k in ("", 2, 3, 4)]
    assert domains[0][0] == domains[2][0]
    assert domains[0][1][0] > domains[2][1][1]
    assert {shape.xref for shape in one.layout.shapes} == {"x domain", "x3"}
    captions = [note.text for note in one.layout.annotations if note.text.startswith("<b>")]
    assert captions[:2] == ["<b>Eigenspectrum of layer3.1</b>", "<b>Dimensionality of layer3.1</b>"]
    assert sum(bool(trace.showlegend) for trace in one.data) == 2


def test_without_a_layer_a_comparison_takes_the_last_block(session: Session, roles: dict[str, int]) -> None:
    one = figure(session, "compare", FigureRequest(runs=f"{roles['I']},{roles['S']}"))
    assert any("layer4.1" in note.text for note in one.layout.annotations)
    empty = figure(session, "compare", FigureRequest(runs=str(roles["queued"])))
    assert "no spectra" in empty.layout.meta["empty"]


def test_an_svg_says_its_size_in_millimetres() -> None:
    svg = '<svg class="main-svg" width="357" height="268" viewBox="0 0 357 268"><svg width="9" height="9"/></svg>'
    assert svg_in_millimetres(svg, Paper()) == (
        '<svg class="main-svg" width="84mm" height="63mm" viewBox="0 0 357 268"><svg width="9" height="9"/></svg>'
    )


@pytest.mark.browser
def test_files_have_the_size_that_was_asked_for(
    kaleido: None, drawn: Callable[..., go.Figure], tmp_path: Path
) -> None:
    spectrum = drawn("spectrum")
    files = [tmp_path / "a.svg", tmp_path / "a.png"]
    assert save_figures([Print(file, spectrum, Paper()) for file in files], dpi=300) == files
    svg = files[0].read_text()
    assert 'width="84mm" height="63mm"' in svg
    assert re.search(r"<text[^>]*>I: Faster R-CNN", svg)
    assert "<image" not in svg
    with Image.open(files[1]) as image:
        assert image.size == pytest.approx((84 / 25.4 * 300, 63 / 25.4 * 300), abs=4)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert image.convert("RGB").getpixel((2, 2)) == (255, 255, 255)
    with pytest.raises(InvalidInput, match=r"a\.svg exists; name another file"):
        save_figure(spectrum, files[0])
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.png", "a.svg"]


@pytest.mark.browser
def test_a_browser_that_is_missing_is_named(
    kaleido: None, drawn: Callable[..., go.Figure], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "no-such-browser"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match=r"none is found; install one .*BROWSER_PATH=/path/to/chromium"):
        save_figure(drawn("losses"), tmp_path / "a.png")


def test_kaleido_that_is_missing_is_named(
    drawn: Callable[..., go.Figure], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kaleido", None)
    with pytest.raises(Unavailable, match=r"need kaleido; install it: pip install 'eigenscope\[images\]'"):
        save_figure(drawn("losses"), tmp_path / "a.png")


def test_other_endings_and_resolutions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"a\.pdf must end in \.png or \.svg"):
        save_figure(go.Figure(), tmp_path / "a.pdf")
    with pytest.raises(InvalidInput, match="between 30 and 2400 dots per inch, not 5"):
        save_figure(go.Figure(), tmp_path / "a.png", dpi=5)
