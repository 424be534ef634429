"""The pages in headless Chromium: cursor, address, keys, selection; any console error fails."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

DRAWN = "figure[data-figure=spectrum] .scatterlayer .trace"


def compare(page: Page, server: str, roles: dict[str, int], more: str = "") -> None:
    page.goto(f"{server}/compare?runs={roles['I']},{roles['S']}{more}")
    page.wait_for_selector(DRAWN)
    expect(page.locator("#readout b")).to_have_count(2)


def at_rest(page: Page) -> None:
    """Wait until what was drawn on the way is what the chart holds."""
    page.wait_for_timeout(100)
    page.wait_for_function(
        "!document.querySelector('.moving') && document.getElementById('cursor').ariaBusy === 'false'"
    )


def drawn_spectra(page: Page) -> Any:
    """Return the eigenvalues that the chart shows, once the cursor rests."""
    at_rest(page)
    return page.evaluate(
        """() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => {
             const plot = document.querySelector("[data-figure=spectrum] .plot");
             resolve(plot._fullData.filter((t) => t.meta.part === "curve").map((t) => Array.from(t.y).slice(0, 5)));
           })))"""
    )


def test_scrubbing_asks_for_nothing_and_a_reload_gives_the_same_view(
    tab: Page, server: str, roles: dict[str, int]
) -> None:
    compare(tab, server, roles, "&layer=layer4.1&i=0")
    expect(tab.locator("#iteration-text")).to_have_text("0 of 1,200")
    tab.locator("#iteration").focus()
    early = drawn_spectra(tab)
    asked: list[str] = []
    # The browser fetches its icon when it likes.
    tab.on("request", lambda one: None if "favicon" in one.url else asked.append(one.url))
    tab.keyboard.press("End")
    expect(tab.locator("#iteration-text")).to_have_text("1,200 of 1,200")
    late = drawn_spectra(tab)
    assert late != early
    assert asked == []
    answer = tab.request.get(f"{server}/api/v1/runs/{roles['I']}/spectra?layer=layer4.1").json()
    assert late[0] == pytest.approx(answer["eigenvalues"][-1][:5])
    readout = tab.locator("#readout").inner_text()
    expect(tab).to_have_url(re.compile(r"layer=layer4\.1.*&i=1200"))
    tab.reload()
    tab.wait_for_selector(DRAWN)
    expect(tab.locator("#readout")).to_have_text(readout, use_inner_text=True)
    expect(tab.locator("#layer")).to_have_value("layer4.1")
    assert drawn_spectra(tab) == late


def test_keys_find_a_layer_and_play(tab: Page, server: str, roles: dict[str, int]) -> None:
    compare(tab, server, roles, "&i=0")
    tab.keyboard.press("/")
    tab.keyboard.type("fpn p3")
    tab.keyboard.press("Enter")
    expect(tab.locator("#layer")).to_have_value("fpn.p3")
    expect(tab.locator("#readout .value").first).to_contain_text("of 256")
    tab.keyboard.press("Space")
    expect(tab.locator("#iteration-text")).to_have_text("1,200 of 1,200", timeout=15_000)
    tab.keyboard.press("?")
    expect(tab.locator("#help")).to_be_visible()


def test_a_click_on_a_heatmap_moves_the_cursor(tab: Page, server: str, roles: dict[str, int]) -> None:
    compare(tab, server, roles, "&layer=layer4.1&i=1200")
    tab.locator("figure[data-figure=heatmap]").first.scroll_into_view_if_needed()
    area = tab.locator("figure[data-figure=heatmap] .nsewdrag").first
    area.scroll_into_view_if_needed()
    tab.wait_for_timeout(300)
    box = area.bounding_box()
    assert box
    tab.mouse.move(box["x"] + 5, box["y"] + 5)
    tab.wait_for_timeout(200)
    tab.mouse.click(box["x"] + 5, box["y"] + 5)
    expect(tab.locator("#layer")).to_have_value("stem.act1")
    expect(tab.locator("#iteration-text")).to_have_text("0 of 1,200")


def test_criterion_and_threshold_change_the_numbers(tab: Page, server: str, roles: dict[str, int]) -> None:
    compare(tab, server, roles, "&layer=layer4.1&i=1200")
    before = tab.locator("#readout").inner_text()
    tab.locator("#criterion").select_option("stable_rank")
    expect(tab.locator("#threshold")).to_be_disabled()
    expect(tab.locator("#readout")).not_to_have_text(before)
    expect(tab).to_have_url(re.compile("c=stable_rank"))


def test_a_slope_follows_the_cursor_and_is_called_one(tab: Page, server: str, roles: dict[str, int]) -> None:
    compare(tab, server, roles, "&layer=layer4.1&i=1200")
    tab.locator("#criterion").select_option("power_law")
    expect(tab.locator("#readout .value").first).to_have_text(re.compile(r"^α = \d\.\d\d$"))
    expect(tab.locator("figure[data-figure=dimension_by_depth] .chart-title")).to_have_text(
        "Power-law slope α by depth"
    )
    tab.locator("figure[data-figure=heatmap_difference]").scroll_into_view_if_needed()
    expect(tab.locator("figure[data-figure=heatmap_difference] .chart-note")).to_contain_text("in units of α")
    drawn = fitted_slopes(tab)
    answer = tab.request.get(f"{server}/api/v1/runs/{roles['S']}/dimensions?criterion=power_law").json()
    slopes = answer["values"][answer["layers"].index("layer4.1")]
    assert drawn[1] == pytest.approx(slopes[-1], rel=1e-3)
    tab.locator("#iteration").focus()
    tab.keyboard.press("Home")
    expect(tab.locator("#iteration-text")).to_have_text("0 of 1,200")
    assert fitted_slopes(tab)[1] == pytest.approx(slopes[0], rel=1e-3)
    tab.locator("#criterion").select_option("absolute")
    expect(tab.locator("#readout .value").first).to_contain_text("of 512")
    expect(tab.locator("figure[data-figure=dimension_by_depth] .chart-title")).to_have_text(
        "Dimensionality by depth"
    )


def fitted_slopes(page: Page) -> Any:
    """Return the slope of each line that the chart draws over a spectrum, from its two ends."""
    at_rest(page)
    page.wait_for_function(
        "document.querySelector('[data-figure=spectrum] .plot')._fullData.some((t) => t.meta.part === 'fit')"
    )
    return page.evaluate(
        """() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => {
             const plot = document.querySelector("[data-figure=spectrum] .plot");
             const fits = plot._fullData.filter((t) => t.meta.part === "fit");
             resolve(fits.map((t) => Math.log(t.y[0] / t.y[1]) / Math.log(t.x[1])));
           })))"""
    )


def test_selected_runs_are_compared(tab: Page, server: str, roles: dict[str, int]) -> None:
    tab.goto(server)
    expect(tab.locator("#compare")).to_be_disabled()
    for role in ("I", "S"):
        tab.locator(f"#run-{roles[role]} input").check()
    tab.locator("#compare").click()
    tab.wait_for_url(f"**/compare?runs={roles['I']},{roles['S']}")


def test_runs_are_filtered_as_one_types(tab: Page, server: str, roles: dict[str, int]) -> None:
    tab.goto(server)
    tab.get_by_role("searchbox").fill("seed 2")
    expect(tab.locator("#rows tr")).to_have_count(1)
    expect(tab).to_have_url(re.compile(r"text=seed\+2"))


def test_hostile_names_run_nothing(tab: Page, server: str, roles: dict[str, int]) -> None:
    tab.goto(server)
    tab.goto(f"{server}/compare?runs={roles['hostile']},{roles['I']}")
    tab.wait_for_selector(DRAWN)
    expect(tab.locator("#readout")).to_contain_text("<img src=x")
    assert tab.evaluate("window.hacked") is None


def test_form_says_the_cost_and_puts_errors_at_their_field(tab: Page, server: str) -> None:
    tab.goto(f"{server}/new")
    expect(tab.locator("#cost-parameters")).to_have_text("41.4 M")
    tab.locator("#f-training-lr").fill("fast")
    expect(tab.locator("[data-path='training.lr'] .field-error")).to_contain_text("number")
    tab.locator("#f-training-lr").fill("0.01")
    expect(tab.locator("[data-path='training.lr'] .field-error")).to_be_hidden()


def test_no_page_scrolls_sideways_on_a_telephone(tab: Page, server: str, roles: dict[str, int]) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    for address in (
        "/",
        f"/runs/{roles['I']}",
        f"/compare?runs={roles['I']},{roles['S']},{roles['recorded']}",
        "/new",
        "/system",
    ):
        tab.goto(server + address, wait_until="domcontentloaded")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390, address


def test_rows_follow_the_database_and_keep_the_selection(
    tab: Page, server: str, roles: dict[str, int], passing_run: Callable[..., int]
) -> None:
    tab.goto(server)
    tab.locator(f"#run-{roles['I']} input").check()
    tab.wait_for_timeout(1000)
    row = tab.locator(f"#run-{passing_run()}")
    expect(row).to_contain_text("1 / 1,200", timeout=10_000)
    passing_run(iteration=1200, status="succeeded", ap=0.5)
    expect(row.locator(".status")).to_have_text("succeeded", timeout=10_000)
    expect(row).to_contain_text("50.0")
    expect(tab.locator(f"#run-{roles['I']} input")).to_be_checked()


def test_cautions_of_a_recorded_run_follow_the_criterion(
    tab: Page, server: str, roles: dict[str, int]
) -> None:
    tab.goto(f"{server}/runs/{roles['recorded']}?layer=roi.fc")
    tab.wait_for_selector(DRAWN)
    expect(tab.locator("figure[data-figure=spectrum] .chart-note")).to_have_text(
        "positions are the proposals'"
    )
    expect(tab.locator("#state .banner")).to_have_count(2)
    tab.locator("#state details summary").click()
    tab.locator("#criterion").select_option("relative")
    expect(tab.locator("#state .banner")).to_have_count(1)
    expect(tab.locator("#state details li").first).to_be_visible()
    expect(tab.locator("figure[data-figure=metric] .scatterlayer .trace")).to_have_count(1)
