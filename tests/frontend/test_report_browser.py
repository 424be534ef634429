"""A report as its reader opens it: from a file, without a network, in both themes and on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from backend.database import Database
from backend.settings import Settings
from frontend.report.document import report
from frontend.report.request import ReportRequest
from frontend.report.view import ReportView

pytestmark = pytest.mark.browser

DRAWN = "body[data-drawn]"
CURVES = """figure => figure.querySelector('.plot').data
    .filter(trace => trace.meta.part === 'curve').map(trace => Array.from(trace.y))"""


@pytest.fixture
def written(seeded: tuple[Settings, dict[str, int]], tmp_path: Path) -> Callable[[ReportRequest], str]:
    """Return a function that writes a report and gives its address."""

    def write(asked: ReportRequest) -> str:
        database = Database(seeded[0].database)
        with database.reading() as session:
            content = report(session, asked, datetime(2026, 3, 5, tzinfo=UTC))
        database.dispose()
        file = tmp_path / "report.html"
        file.write_bytes(content)
        return file.as_uri()

    return write


@pytest.fixture
def alone(tab: Page) -> Iterator[Page]:
    """Yield a tab that must ask for nothing but its file."""
    asked: list[str] = []
    tab.on("request", lambda one: asked.append(one.url))
    yield tab
    assert [url for url in asked if not url.startswith("file:")] == []


def opened(tab: Page, address: str) -> Page:
    tab.goto(address)
    tab.wait_for_selector(DRAWN, timeout=60_000)
    return tab


def test_all_figures_are_drawn_from_the_file(
    alone: Page, written: Callable[[ReportRequest], str], roles: dict[str, int]
) -> None:
    opened(alone, written(ReportRequest((roles["I"], roles["S"]))))
    assert alone.locator("figure .main-svg").count() >= alone.locator("figure").count() == 8
    expect(alone.locator("#iteration-text")).to_have_text("1,200 of 1,200")
    expect(alone.locator("noscript")).to_be_hidden()
    alone.set_viewport_size({"width": 390, "height": 844})
    assert alone.evaluate("document.documentElement.scrollWidth") <= 390
    alone.set_viewport_size({"width": 1440, "height": 900})


def test_one_cursor_moves_through_all_figures(
    alone: Page, written: Callable[[ReportRequest], str], seeded: tuple[Settings, dict[str, int]]
) -> None:
    roles = seeded[1]
    opened(alone, written(ReportRequest((roles["I"], roles["S"]))))
    spectrum = alone.locator("figure").first
    before = spectrum.evaluate(CURVES)
    alone.locator("#iteration").focus()
    for _ in range(3):
        alone.keyboard.press("ArrowLeft")
    expect(alone.locator("#iteration-text")).to_have_text("10 of 1,200")
    expect(spectrum.locator(".chart-note")).to_have_text("iteration 10")
    alone.wait_for_timeout(300)
    after = spectrum.evaluate(CURVES)
    assert [len(one) for one in after] == [len(one) for one in before]
    assert after[1] != before[1]
    told = alone.locator(f"[data-row='{roles['S']}'][data-layer]").text_content()
    marker = "figure => figure.querySelector('.plot').data[3].x[0]"
    assert told is not None
    assert told.startswith(f"d = {spectrum.evaluate(marker):.0f} of 512")
    for at in (1, 3, 4, 5, 6, 7):
        figure = alone.locator("figure").nth(at)
        figure.scroll_into_view_if_needed()
        expect(figure.locator(".crosshair")).to_be_visible()
    alone.locator("#play").click()
    expect(alone.locator("#iteration-text")).to_have_text("1,200 of 1,200", timeout=20_000)
    expect(alone.locator("#play")).to_have_attribute("aria-label", "Play")


def test_a_click_in_a_heatmap_moves_the_cursor(
    alone: Page, written: Callable[[ReportRequest], str], roles: dict[str, int]
) -> None:
    opened(alone, written(ReportRequest((roles["S"],), figures=("heatmap", "dimension_by_depth"))))
    box = alone.locator("figure .plot .nsewdrag").first.bounding_box()
    assert box is not None
    alone.mouse.move(box["x"] + 4, box["y"] + 40)
    alone.mouse.click(box["x"] + 5, box["y"] + 40)
    expect(alone.locator("#iteration-text")).to_have_text("0 of 1,200")


def test_it_is_dark_where_the_system_is_and_white_on_paper(
    alone: Page, written: Callable[[ReportRequest], str], roles: dict[str, int], tmp_path: Path
) -> None:
    alone.emulate_media(color_scheme="dark")
    opened(alone, written(ReportRequest((roles["I"], roles["S"]), figures=("spectrum", "heatmap"))))
    paper = "() => document.querySelector('.plot').layout.template.layout.paper_bgcolor"
    assert alone.evaluate(paper) == "#14171b"
    assert alone.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)"
    alone.evaluate(
        f"addEventListener('beforeprint', () => {{ window.printed = ({paper})(); "
        "window.wide = document.querySelector('.main-svg').getAttribute('width'); })"
    )
    alone.pdf(path=tmp_path / "report.pdf")
    assert alone.evaluate("[window.printed, window.wide]") == ["#ffffff", "690"]
    alone.wait_for_function(f"({paper})() === '#14171b'")
    alone.emulate_media(color_scheme="light")
    alone.wait_for_function(f"({paper})() === '#ffffff'")


def test_hostile_names_stay_text(
    alone: Page, written: Callable[[ReportRequest], str], roles: dict[str, int]
) -> None:
    opened(alone, written(ReportRequest((roles["hostile"], roles["S"]))))
    assert alone.evaluate("window.hacked") is None
    expect(alone.locator("h1")).to_contain_text("<img src=x")
    assert alone.locator("main img").count() == 0


def test_one_click_gives_the_view_as_a_file(tab: Page, server: str, roles: dict[str, int]) -> None:
    tab.goto(f"{server}/compare?runs={roles['I']},{roles['S']}&layer=layer2.0&i=10&c=relative&t=0.01")
    with tab.expect_download() as download:
        tab.locator("a[data-report]").click()
    assert download.value.suggested_filename == f"eigenscope-report-{roles['I']}-{roles['S']}.html"
    page = download.value.path().read_text()
    assert "Eigenspectrum of layer2.0" in page
    assert "threshold 0.01" in page
    assert "10 of 1,200" in page
    tab.goto(f"{server}/runs/{roles['S']}")
    with tab.expect_download() as download:
        tab.locator("a[data-report]").click()
    assert "<h1>S: Faster R-CNN" in download.value.path().read_text()


def test_a_finding_leads_to_its_figure_and_moves_the_cursor(
    alone: Page, written: Callable[[ReportRequest], str], roles: dict[str, int]
) -> None:
    opened(alone, written(ReportRequest((roles["I"], roles["S"]))))
    alone.get_by_role("link", name="Dimensionality by depth").click()
    expect(alone.locator("#iteration-text")).to_have_text("0 of 1,200")
    expect(alone.locator("figure:target .chart-title")).to_contain_text("by depth")
    expect(alone.locator("figure:target")).to_be_in_viewport()
    alone.get_by_role("link", name="Difference by layer and iteration").click()
    expect(alone.locator("#iteration-text")).to_have_text("1,200 of 1,200")


def test_runs_aligned_by_progress_are_drawn_as_the_page_draws_them(
    alone: Page, written: Callable[[ReportRequest], str], roles: dict[str, int]
) -> None:
    view = ReportView(y="relative", align="progress", progress=50.0, x="epoch")
    opened(alone, written(ReportRequest((roles["I"], roles["S"]), view=view)))
    expect(alone.locator("#iteration-text")).to_have_text("50 % of training")
    spectrum = alone.locator("figure").first
    expect(spectrum.locator(".chart-note")).to_have_text("at 50 % of training")
    assert [one[0] for one in spectrum.evaluate(CURVES)] == [1, 1]
    heatmap = alone.locator("figure").nth(3)
    heatmap.scroll_into_view_if_needed()
    expect(heatmap.locator(".crosshair")).to_be_visible()
    course = alone.locator("figure").nth(1)
    expect(course.locator(".crosshair")).to_be_hidden()
    box = heatmap.locator(".nsewdrag").bounding_box()
    assert box is not None
    alone.mouse.move(box["x"] + 4, box["y"] + 40)
    alone.mouse.click(box["x"] + 5, box["y"] + 40)
    expect(alone.locator("#iteration-text")).to_have_text("0 % of training")


def test_the_link_takes_the_view_panel_along(tab: Page, server: str, roles: dict[str, int]) -> None:
    pair = f"{roles['I']},{roles['S']}"
    keys = (
        "layer=layer4.1&y=relative&xs=linear&x=epoch&align=progress&p=50&band=nobody&layers=layer1.0,layer1.1"
    )
    tab.goto(f"{server}/compare?runs={pair}&{keys}")
    expect(tab.locator("#multiples-grid [data-layer]")).to_have_count(2)
    with tab.expect_download() as download:
        tab.locator("a[data-report]").click()
    asked = parse_qs(urlsplit(download.value.url).query)
    assert asked.pop("layer") == ["layer4.1", "layer1.0", "layer1.1"]
    assert asked == {
        "runs": [pair],
        "y": ["relative"],
        "xs": ["linear"],
        "x": ["epoch"],
        "align": ["progress"],
        "p": ["50"],
    }, "what the page does not offer is not asked for"
    page = download.value.path().read_text()
    assert "50 % of training" in page
    assert "Eigenspectrum of layer1.1" in page
