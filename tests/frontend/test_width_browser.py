"""The Widths pages in headless Chromium: from a spectrum to a launched retraining and its result."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

DRAWN = "figure[data-figure=width_groups] .scatterlayer .trace"
BACKBONE = "#summary .totals .change >> nth=0"
CHART_SAYS = "figure[data-figure=width_groups] .plot-message"


def widths_after(page: Page) -> Any:
    return page.evaluate(
        """() => Array.from(document.querySelector("[data-figure=width_groups] .plot")
             ._fullData.find((trace) => trace.name === "width after").y)"""
    )


def places_of_charts(page: Page) -> Any:
    return page.evaluate(
        """() => [...document.querySelectorAll("figure.chart, #launch-form")].map((one) => {
             const { top, height } = one.getBoundingClientRect();
             return [top, height]; })"""
    )


def wait_for_mark(page: Page, threshold: float) -> None:
    page.wait_for_function(
        "(wanted) => Math.abs(document.querySelector('[data-figure=width_curve] .plot').data"
        "?.find((trace) => trace.meta?.part === 'now').x[0] - wanted) < 1e-9",
        arg=threshold,
    )


def choose(page: Page, server: str, home: Any, more: str = "") -> None:
    page.goto(f"{server}/widths?run={home.source}{more}")
    page.wait_for_selector(DRAWN)


def test_choose_move_launch_and_follow_to_the_result(tab: Page, widths_server: str, widths_home: Any) -> None:
    tab.goto(f"{widths_server}/runs/{widths_home.source}")
    tab.get_by_role("link", name="Widths", exact=True).nth(1).click()
    tab.wait_for_url(f"**/widths?run={widths_home.source}")
    tab.wait_for_selector(DRAWN)
    before, share = widths_after(tab), tab.locator(BACKBONE).inner_text()
    slider = tab.locator("#slide")
    slider.focus()
    for _ in range(12):
        tab.keyboard.press("ArrowRight")
    expect(tab.locator(BACKBONE)).not_to_have_text(share)
    threshold = tab.locator("#k-t").input_value()
    assert float(threshold) > 1e-3
    expect(tab).to_have_url(re.compile(rf"\?run={widths_home.source}&t={threshold}$"))
    tab.wait_for_timeout(500)
    assert widths_after(tab) != before

    tab.locator("#seeds").fill("0, 1")
    expect(tab.locator("#launch-count")).to_have_text("4 runs")
    tab.locator("#launch").click()
    tab.wait_for_url(re.compile(r"/widths/\d+$"))
    expect(tab.locator(".plan-runs tbody tr")).to_have_count(4)
    expect(tab.locator(".verdict")).to_contain_text("0 of 4 runs have ended")
    found = tab.request.get(f"{widths_server}/api/v1/width-plans/{tab.url.rsplit('/', 1)[1]}").json()
    assert found["request"]["threshold"] == float(threshold)
    assert found["launch"]["norm"] == "batch", "frozen batch norm is not trained from scratch"

    by_role: dict[str, list[int]] = {}
    for run in found["runs"]:
        by_role.setdefault(run["role"], []).append(run["run_id"])
    running = by_role["selected"][0]
    tab.wait_for_timeout(1000)
    widths_home.change([running], status="running", iteration=300, phase="training")
    expect(tab.locator(f"#run-{running}")).to_contain_text("300 / 1,200", timeout=10_000)
    for role, ap in (("baseline", (0.34, 0.36)), ("selected", (0.345, 0.355))):
        for run_id, value in zip(by_role[role], ap, strict=True):
            widths_home.change([run_id], status="succeeded", iteration=1200, ap=value)
    expect(tab.locator(".role-selected")).to_contain_text("35.0 ± 0.7", timeout=10_000)
    expect(tab.locator(".verdict")).to_contain_text("AP 0.0 points, 2 seeds against 2 seeds")
    expect(tab.locator(".verdict .met")).to_have_count(2)
    expect(tab.locator(".verdict .met-in-doubt")).to_have_count(1)


def test_a_refusal_stands_where_the_chart_was_and_goes_again(
    tab: Page, widths_server: str, widths_home: Any
) -> None:
    choose(tab, widths_server, widths_home)
    wait_for_mark(tab, 1e-3)
    places = places_of_charts(tab)
    tab.locator("#k-t").fill("50")
    expect(tab.locator(CHART_SAYS)).to_contain_text("has 0 dimensions by this criterion")
    expect(tab.locator("#launch")).to_be_disabled()
    expect(tab.locator("#store")).to_be_disabled()
    assert places_of_charts(tab) == places, "nothing jumps"
    tab.wait_for_function(
        "document.querySelector('[data-figure=width_curve] .plot').data"
        ".find((trace) => trace.meta?.part === 'now').x.length === 0"
    )
    tab.locator("#k-t").fill("half")
    expect(tab.locator(CHART_SAYS)).to_contain_text("Mend the values marked red.")
    expect(tab.locator(".verdict")).to_contain_text("Mend the values marked red.")
    expect(tab.locator("#e-t")).to_have_text("Threshold `half` is not a number.")
    tab.locator("#k-macs").fill("-1")
    expect(tab.locator("#e-macs")).to_have_text("MACs ≤ must be more than 0.")
    expect(tab.locator("#k-macs")).to_have_attribute("aria-invalid", "true")
    expect(tab.locator("#e-t")).to_be_visible()
    tab.locator("#k-macs").fill("1")
    expect(tab.locator("#e-macs")).to_be_hidden()
    tab.locator("#k-t").fill("0.01")
    expect(tab.locator(CHART_SAYS)).to_have_count(0)
    expect(tab.locator("#launch")).to_be_enabled()
    wait_for_mark(tab, 0.01)


def test_a_moved_threshold_asks_for_no_other_curve_and_one_plan_at_a_time(
    tab: Page, widths_server: str, widths_home: Any
) -> None:
    choose(tab, widths_server, widths_home)
    tab.wait_for_selector("figure[data-figure=width_curve] .scatterlayer .trace")
    asked: list[str] = []
    under_way, most = [0], [0]

    def began(request: Any) -> None:
        asked.append(request.url)
        if "/widths?" in request.url:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])

    def ended(request: Any) -> None:
        under_way[0] -= "/widths?" in request.url

    tab.on("request", began)
    tab.on("requestfinished", ended)
    tab.locator("#slide").focus()
    for _ in range(30):
        tab.keyboard.press("ArrowLeft")
    threshold = tab.locator("#k-t").input_value()
    expect(tab).to_have_url(re.compile(rf"t={threshold}$"))
    wait_for_mark(tab, float(threshold))
    assert most == [1]
    assert not [url for url in asked if "width_curve" in url]
    tab.locator("#controls input[name=tie][value=mean]").check(force=True)
    expect(tab).to_have_url(re.compile("tie=mean"))
    tab.wait_for_timeout(800)
    assert len([url for url in asked if "width_curve" in url]) == 1


def test_a_criterion_brings_its_threshold_and_a_reload_the_same_view(
    tab: Page, widths_server: str, widths_home: Any
) -> None:
    choose(tab, widths_server, widths_home)
    tab.locator("#k-c").select_option("variance")
    expect(tab.locator("#k-t")).to_have_value("0.99")
    expect(tab).to_have_url(re.compile(r"c=variance$"))
    tab.locator("#slide").focus()
    tab.keyboard.press("End")
    expect(tab.locator("#k-t")).to_have_value("0.999")
    tab.locator("#k-c").select_option("stable_rank")
    expect(tab.locator("#k-t")).to_be_disabled()
    expect(tab.locator("figure[data-figure=width_curve] .plot-message")).to_contain_text("has no threshold")
    tab.locator("#k-c").select_option("relative")
    tab.locator("#k-macs").fill("0.8")
    tab.locator("#controls input[name=cap]").check()
    expect(tab).to_have_url(re.compile(r"c=relative&macs=0\.8&cap=1$"))
    expect(tab.locator("#summary .totals")).to_contain_text(re.compile(r"MACs.*−2\d\.\d %"))
    tab.wait_for_selector(DRAWN)
    share = tab.locator("#summary .totals").inner_text()
    tab.reload()
    tab.wait_for_selector(DRAWN)
    expect(tab.locator("#summary .totals")).to_have_text(share, use_inner_text=True)
    expect(tab.locator("#k-macs")).to_have_value("0.8")
    expect(tab.locator("#k-t")).to_have_value("0.001")


def test_the_launch_form_says_what_does_not_fit(tab: Page, widths_server: str, widths_home: Any) -> None:
    choose(tab, widths_server, widths_home)
    for given, words in (("", "whole numbers"), ("a", "whole numbers"), ("1, 1", "must differ")):
        tab.locator("#seeds").fill(given)
        expect(tab.locator("#launch-error")).to_contain_text(words)
    tab.locator("#launch").click()
    assert tab.request.get(f"{widths_server}/api/v1/width-plans").json()["total"] == 0
    tab.locator("#seeds").fill("0, 1, 2")
    tab.locator("#uniform").check()
    tab.locator("#rounds").fill("3")
    expect(tab.locator("#launch-count")).to_have_text("9 runs now, 6 in later rounds")
    expect(tab.locator("#launch-error")).to_be_hidden()


def test_words_explain_themselves_where_they_stand(tab: Page, widths_server: str, widths_home: Any) -> None:
    choose(tab, widths_server, widths_home)
    for name, words in (
        ("Tied blocks", "share one width"),
        ("Rounds", "selected and retrained in all"),
        ("baseline and uniform", "whether it matters which widths shrink"),
    ):
        button = tab.get_by_role("button", name=f"About {name}")
        button.click()
        expect(button).to_have_attribute("aria-expanded", "true")
        expect(tab.locator(".help:visible").filter(has_text=words)).to_have_count(1)


def test_a_plan_is_stored_and_deleted_again(
    tab: Page, widths_server: str, widths_home: Any, tmp_path: Path
) -> None:
    choose(tab, widths_server, widths_home)
    tab.locator("#store").click()
    tab.wait_for_url(re.compile(r"/widths/\d+$"))
    expect(tab.locator(".verdict")).to_contain_text("No run has been launched from this plan.")
    tab.wait_for_selector("figure[data-figure^=width_macs] .barlayer .trace")
    tab.locator("figure[data-figure^=width_macs] .menu summary").click()
    with tab.expect_download() as saved:
        tab.locator("figure[data-figure^=width_macs] [data-save=csv]").click()
    assert saved.value.suggested_filename == "eigenscope-width_macs-plan-1.csv"
    saved.value.save_as(tmp_path / "macs.csv")
    rows = list(csv.DictReader((tmp_path / "macs.csv").read_text().splitlines()))
    assert [row["x"] for row in rows][:5] == ["stem", "layer1", "layer2", "layer3", "layer4"]
    assert all(float(row["y"]) > 0 for row in rows)
    tab.locator("#delete").click()
    tab.locator("#confirm-yes").click()
    tab.wait_for_url("**/widths")
    expect(tab.locator("#plans")).to_contain_text("No plan is stored yet.")


def test_no_widths_page_scrolls_sideways_on_a_telephone(
    tab: Page, widths_server: str, widths_home: Any
) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    body = {"run_id": widths_home.source}
    plan = tab.request.post(f"{widths_server}/api/v1/width-plans", data=body).json()["id"]
    tab.request.post(f"{widths_server}/api/v1/width-plans/{plan}/runs", data={"norm": "group"})
    for address in ("/widths", f"/widths?run={widths_home.source}", f"/widths/{plan}"):
        tab.goto(widths_server + address, wait_until="domcontentloaded")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390, address
