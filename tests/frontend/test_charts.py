"""Every chart: what it saves, its full screen, one pointer over all of them, and what it says without a picture."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from backend.models import Run
from frontend.live_words import how_far

SPECTRUM = "figure[data-figure=spectrum]"


def run(status: str, iteration: int = 0, iterations: int = 200) -> Run:
    return Run(status=status, iteration=iteration, iterations=iterations)


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ([run("succeeded")], ""),
        ([run("running", 120)], "120 of 200 iterations"),
        ([run("running", 1200, 0)], "1,200 iterations"),
        ([run("running", 1), run("running", 2), run("failed")], "2 runs train"),
    ],
)
def test_a_chart_says_how_far_its_runs_are(runs: list[Run], words: str) -> None:
    assert how_far(runs) == words


def open_compare(page: Page, server: str, roles: dict[str, int], more: str = "") -> None:
    page.goto(f"{server}/compare?runs={roles['I']},{roles['S']}&layer=layer4.1&i=600{more}")
    page.wait_for_selector(f"{SPECTRUM}[data-state=drawn]")


def chart(page: Page, figure: str) -> Locator:
    found = page.locator(f"figure[data-figure={figure}]").first
    found.scroll_into_view_if_needed()
    expect(found).to_have_attribute("data-state", "drawn")
    return found


@pytest.mark.browser
def test_every_chart_of_every_page_can_be_saved_shared_and_enlarged(
    tab: Page, gallery: tuple[str, list[Any]], settle: Any
) -> None:
    server, shots = gallery
    charted = 0
    for shot in shots:
        if shot.name in ("not-found", "keys"):
            continue
        tab.goto(server + shot.address)
        settle(tab)
        for one in tab.locator("figure.chart").all():
            charted += 1
            kinds = one.locator("[data-save]").evaluate_all("(all) => all.map((each) => each.dataset.save)")
            assert kinds == ["png", "svg", "csv", "link"]
            assert one.locator("[data-full]").count() == 1
            assert one.get_attribute("data-state") in ("drawn", "empty"), shot.name
        ids = tab.locator("figure.chart").evaluate_all("(all) => all.map((each) => each.id)")
        assert len(set(ids)) == len(ids), shot.name
    assert charted > 30


@pytest.mark.browser
def test_a_chart_is_saved_as_picture_and_table(
    tab: Page, server: str, roles: dict[str, int], tmp_path: Path
) -> None:
    open_compare(tab, server, roles)
    figure = chart(tab, "dimension_by_iteration")
    for kind in ("png", "svg", "csv"):
        figure.locator("summary").click()
        with tab.expect_download() as download:
            figure.locator(f"[data-save={kind}]").click()
        download.value.save_as(tmp_path / f"chart.{kind}")
    with Image.open(tmp_path / "chart.png") as picture:
        assert picture.width > 800
    drawing = (tmp_path / "chart.svg").read_text()
    assert drawing.startswith("<svg")
    assert "of layer4.1" in drawing
    rows = list(csv.reader((tmp_path / "chart.csv").read_text().splitlines()))
    answer = tab.request.get(f"{server}/api/v1/runs/{roles['I']}/dimensions").json()
    told = [row for row in rows[1:] if row[0].startswith("I:")]
    assert [int(row[1]) for row in told] == answer["iterations"]
    assert [float(row[2]) for row in told] == answer["values"][answer["layers"].index("layer4.1")]


@pytest.mark.browser
def test_a_table_holds_names_as_they_are_and_runs_no_formula(
    tab: Page, server: str, roles: dict[str, int]
) -> None:
    open_compare(tab, server, roles)
    text = tab.evaluate(
        """async () => {
             const base = document.querySelector('link[rel="stylesheet"]').href.replace("style.css", "csv.js");
             const { csvOf } = await import(base);
             const traces = ["=1+1", "&lt;b&gt;AP&lt;/b&gt;", "AP<sub>50</sub>", "@cmd", 'a "b", c'].map((name) => (
               { type: "scatter", name, x: [1], y: [-2] }));
             return csvOf({ layout: { meta: {} }, _fullData: traces });
           }"""
    )
    names = [row[0] for row in csv.reader(text.splitlines())]
    assert names == ["trace", "'=1+1", "<b>AP</b>", "AP50", "'@cmd", 'a "b", c']
    assert [row[2] for row in csv.reader(text.splitlines())][1:] == ["-2"] * 5


@pytest.mark.browser
def test_a_link_opens_the_same_view_at_the_same_chart(
    browser: BrowserContext, tab: Page, server: str, roles: dict[str, int]
) -> None:
    browser.grant_permissions(["clipboard-read", "clipboard-write"])
    open_compare(tab, server, roles)
    tab.keyboard.press("ArrowLeft")
    expect(tab).to_have_url(re.compile("i=100"))
    figure = chart(tab, "losses")
    figure.locator("summary").click()
    figure.locator("[data-save=link]").click()
    expect(tab.locator(".toast")).to_contain_text("Link copied")
    link = tab.evaluate("navigator.clipboard.readText()")
    other = browser.new_page()
    other.goto(link)
    expect(other.locator("figure[data-figure=losses]")).to_be_in_viewport()
    expect(other.locator("#iteration-text")).to_have_text("100 of 1,200")
    other.close()


@pytest.mark.browser
def test_full_screen_by_key_keeps_the_chart_and_the_focus(
    tab: Page, server: str, roles: dict[str, int]
) -> None:
    open_compare(tab, server, roles)
    figure = tab.locator(SPECTRUM)
    before, place = figure.bounding_box(), tab.evaluate("document.documentElement.scrollHeight")
    button = figure.locator("[data-full]")
    button.focus()
    tab.keyboard.press("f")
    dialog = tab.locator("#full")
    expect(dialog).to_be_visible()
    expect(dialog.locator(SPECTRUM)).to_have_count(1)
    assert tab.evaluate("document.documentElement.scrollHeight") == place, "what is behind does not move"
    tab.wait_for_function(
        f"document.querySelector('{SPECTRUM} .main-svg').getBoundingClientRect().width > 1300"
    )
    tab.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    assert figure.bounding_box() == before
    figure.hover()
    tab.keyboard.press("f")
    expect(dialog).to_be_focused()
    tab.keyboard.press("f")
    expect(dialog).to_be_hidden()


@pytest.mark.browser
def test_one_pointer_is_seen_in_all_charts_of_its_axis(tab: Page, server: str, roles: dict[str, int]) -> None:
    tab.set_viewport_size({"width": 1440, "height": 2000})
    open_compare(tab, server, roles)
    for name in ("dimension_by_iteration", "losses", "average_precision", "heatmap"):
        chart(tab, name)
    area = tab.locator("figure[data-figure=dimension_by_iteration] .nsewdrag").first
    box = area.bounding_box()
    assert box
    points = tab.evaluate(
        """() => {
             const plot = document.querySelector("figure[data-figure=dimension_by_iteration] .plot");
             const { xaxis, yaxis } = plot._fullLayout, k = plot._fullData[0].x.indexOf("600");
             return [xaxis.c2p(k), yaxis.c2p(plot._fullData[0].y[k])];
           }"""
    )
    tab.mouse.move(box["x"] + points[0] - 3, box["y"] + points[1])
    tab.mouse.move(box["x"] + points[0], box["y"] + points[1])
    losses = tab.locator("figure[data-figure=losses]")
    expect(losses.locator(".crosshair.guide")).to_be_visible()
    expect(losses.locator(".hoverlayer .hovertext").first).to_contain_text(re.compile("iteration (596|600)"))
    expect(tab.locator("figure[data-figure=average_precision] .hoverlayer")).to_contain_text("iteration 600")
    expect(tab.locator("figure[data-figure=heatmap] .crosshair.guide").first).to_be_visible()
    expect(tab.locator(f"{SPECTRUM} .crosshair.guide")).to_be_hidden()
    tab.mouse.move(2, 2)
    expect(losses.locator(".crosshair.guide")).to_be_hidden()
    expect(losses.locator(".hoverlayer .hovertext")).to_have_count(0)


@pytest.mark.browser
def test_loading_failing_and_trying_again_keep_the_height(
    browser: BrowserContext, server: str, roles: dict[str, int]
) -> None:
    page = browser.new_page()
    held: list[Route] = []
    page.route("**/figures/spectrum?*", lambda route: held.append(route))
    page.goto(f"{server}/compare?runs={roles['I']},{roles['S']}&layer=layer4.1&i=600")
    figure = page.locator(SPECTRUM)
    expect(figure.locator(".plot-message")).to_have_text("Loading…")
    expect(figure).to_have_attribute("aria-busy", "true")
    height = figure.bounding_box()["height"]  # type: ignore[index]
    page.wait_for_timeout(300)
    held.pop(0).fulfill(status=503, json={"error": "Unavailable", "detail": "The database cannot be asked."})
    expect(figure.get_by_role("alert")).to_contain_text("The database cannot be asked.")
    assert figure.bounding_box()["height"] == height  # type: ignore[index]
    page.unroute("**/figures/spectrum?*")
    figure.get_by_role("button", name="Try again").click()
    expect(figure).to_have_attribute("data-state", "drawn")
    assert figure.bounding_box()["height"] == height  # type: ignore[index]
    page.route("**/figures/spectrum?*", lambda route: route.abort())
    page.keyboard.press("ArrowDown")
    expect(figure.get_by_role("alert")).to_contain_text("Not brought up to date.")
    assert figure.locator(".scatterlayer .trace").count() > 0, "the picture of before stays"
    page.close()


@pytest.mark.browser
def test_a_live_chart_says_how_far_it_is_and_an_empty_one_why(
    tab: Page, server: str, roles: dict[str, int]
) -> None:
    tab.goto(f"{server}/runs/{roles['running']}")
    expect(chart(tab, "losses").locator(".chart-live")).to_have_text("430 of 1,200 iterations")
    tab.goto(f"{server}/runs/{roles['queued']}")
    expect(tab.locator("figure[data-figure=losses] .plot-message")).to_contain_text("Waits for a worker. ")
    expect(tab.locator("figure[data-figure=losses] .chart-live")).to_be_hidden()
