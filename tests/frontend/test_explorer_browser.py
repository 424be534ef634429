"""The one cursor in a real browser: layers, scales, alignment, bands, threshold, keys, and a link that holds it all."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from frontend.assets import static_url
from frontend.figures.spectrum_band import mean_spectrum
from frontend.figures.spectrum_scale import Height, SpectrumScale

pytestmark = pytest.mark.browser

DRAWN = "figure[data-figure=spectrum] .scatterlayer .trace"
PARTS = """() => Object.fromEntries(document.querySelector('[data-figure=spectrum] .plot')._fullData.map(
  (t) => [t.meta.part + t.meta.runs, [Array.from(t.x), Array.from(t.y)]]))"""


def compare(page: Page, server: str, roles: dict[str, int], more: str = "", third: str = "") -> None:
    ids = [roles["I"], roles["S"], *([roles[third]] if third else [])]
    page.goto(f"{server}/compare?runs={','.join(map(str, ids))}{more}")
    page.wait_for_selector(DRAWN)
    expect(page.locator("#readout .value b").first).to_be_visible()
    at_rest(page)


def at_rest(page: Page) -> None:
    """Wait until what was drawn on the way is what the chart holds."""
    page.wait_for_timeout(100)
    page.wait_for_function(
        "!document.querySelector('.moving') && document.getElementById('cursor').ariaBusy === 'false'"
    )


def asked_of_the_server(page: Page, server: str, query: str) -> dict[str, Any]:
    """Return the same figure as the server draws it, read by plotly itself."""
    figure = page.request.get(f"{server}/api/v1/figures/spectrum?{query}").json()
    return page.evaluate(
        """async ({data, layout}) => {
             const at = document.createElement("div");
             document.body.append(at);
             await Plotly.react(at, data, layout, {});
             const found = Object.fromEntries(at._fullData.map(
               (t) => [t.meta.part + t.meta.runs, [Array.from(t.x), Array.from(t.y)]]));
             Plotly.purge(at);
             at.remove();
             return found;
           }""",
        figure,
    )


def same_parts(drawn: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert drawn.keys() == wanted.keys()
    for part, (x, y) in wanted.items():
        assert drawn[part][0] == pytest.approx(x, rel=1e-5), part
        assert drawn[part][1] == pytest.approx(y, rel=1e-5, abs=1e-12), part


@pytest.mark.parametrize(
    ("view", "criterion"),
    [
        ("", "absolute"),
        ("&y=relative&band=demo", "relative"),
        ("&y=cumulative&band=tags&xs=linear", "variance"),
        ("&y=relative&ys=linear", "power_law"),
        ("&band=demo", "degrees_of_freedom"),
    ],
)
def test_what_is_drawn_while_scrubbing_is_what_the_server_draws(
    tab: Page, server: str, roles: dict[str, int], view: str, criterion: str
) -> None:
    compare(tab, server, roles, f"&layer=layer4.1&c={criterion}{view}", third="pretraining")
    tab.locator("#iteration").focus()
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("ArrowLeft")
    expect(tab.locator("#iteration-text")).to_have_text("100 of 1,200")
    at_rest(tab)
    ids = f"{roles['I']},{roles['S']},{roles['pretraining']}"
    query = f"runs={ids}&layer=layer4.1&iteration=100&criterion={criterion}{view}"
    wanted, drawn = asked_of_the_server(tab, server, query), tab.evaluate(PARTS)
    same_parts(drawn, wanted)


@pytest.mark.parametrize("height", ["absolute", "relative", "cumulative"])
def test_three_seeds_have_the_same_band_in_the_browser(tab: Page, server: str, height: Height) -> None:
    spectra = [[8.0, 2.0, 1.0, 0.5], [4.0, 3.0, 0.25, 0.125], [16.0, 1.0, 1.0, 0.0]]
    tab.goto(f"{server}/system")
    found = tab.evaluate(
        """async ([address, spectra, height]) => {
             const { bandOf, heightsOf } = await import(address);
             const band = bandOf(spectra.map((one) => heightsOf(Float32Array.from(one), height)), height);
             return [band.mean, band.low, band.high].map((one) => Array.from(one));
           }""",
        [static_url("heights.js"), spectra, height],
    )
    wanted = mean_spectrum([np.array(one) for one in spectra], SpectrumScale(height))
    for drawn, expected in zip(found, (wanted.mean, wanted.low, wanted.high), strict=True):
        np.testing.assert_allclose(drawn, expected, rtol=1e-6, atol=1e-12)


def test_the_tree_is_searched_by_regular_expressions_and_ticks_many(
    tab: Page, server: str, roles: dict[str, int]
) -> None:
    compare(tab, server, roles)
    tab.keyboard.press("/")
    tab.keyboard.type("layer[34] act")
    expect(tab.locator("#layer-found")).to_have_text(re.compile(r"^4 of \d+ layers fit$"))
    expect(tab.locator("#layer-tree mark").first).to_have_text("layer3")
    tab.locator("#layer-all").click()
    expect(tab.locator("#layer-count")).to_have_text("4 ticked")
    expect(tab.locator(".small-chart")).to_have_count(4)
    expect(tab).to_have_url(re.compile(r"layers=~layer"))
    tab.locator("#layer").fill("layer(")
    expect(tab.locator("#layer-found")).to_contain_text("no regular expression")
    expect(tab.locator("#layer-all")).to_be_disabled()
    for pattern in ("(a+)+b", ".?" * 40 + "x", "(.|.|.|.)" * 10 + "x", ".*.*.*.*.*x"):
        tab.locator("#layer").fill("layer")
        tab.locator("#layer").fill(pattern)
        expect(tab.locator("#layer-found")).to_contain_text("take too long")
    tab.locator("#layer").fill(r"^layer[34]\.\d+(\.act1)?$|^(fpn|rpn).*")
    expect(tab.locator("#layer-found")).to_contain_text("layers fit")


def test_the_tree_is_walked_and_ticked_by_keys_alone(tab: Page, server: str, roles: dict[str, int]) -> None:
    compare(tab, server, roles, "&layer=layer4.1")
    tab.keyboard.press("/")
    tab.keyboard.type("layer3")
    tab.keyboard.press("ArrowDown")
    expect(tab.locator("#layer-tree [role=treeitem]").first).to_be_focused()
    tab.keyboard.press("Space")
    expect(tab.locator("#layer-count")).to_have_text("4 ticked")
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Space")
    expect(tab.locator("#layer-count")).to_have_text("2 ticked")
    expect(tab.locator("#layer-tree [role=treeitem]").first).to_have_attribute("aria-checked", "mixed")
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Enter")
    expect(tab.locator("#layer")).to_have_value("layer3.0.act1")
    expect(tab.locator("#layer-panel")).to_be_hidden()
    expect(tab).to_have_url(re.compile(r"layer=layer3\.0\.act1.*layers=layer3\.1\.act1,layer3\.1"))


def test_several_layers_follow_the_cursor_and_are_drawn_only_in_sight(
    tab: Page, server: str, roles: dict[str, int]
) -> None:
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url) if "/spectra?" in request.url else None)
    compare(tab, server, roles, "&layer=layer4.1&layers=stem.act1..box_head.fc7")
    count = tab.locator(".small-chart").count()
    assert count > 20
    assert len(asked) < count, "of two runs, and most layers are out of sight"
    first = tab.locator(".small-chart").first
    first.scroll_into_view_if_needed()
    expect(first.locator(".small-message")).to_be_empty()
    picture = "(one) => one.toDataURL()"
    before = first.locator("canvas").evaluate(picture)
    tab.locator("#iteration").focus()
    tab.keyboard.press("Home")
    expect(tab.locator("#iteration-text")).to_have_text("0 of 1,200")
    at_rest(tab)
    assert first.locator("canvas").evaluate(picture) != before
    last = tab.locator(".small-chart canvas").last
    assert last.evaluate("(one) => one.width") == 0 or count < 40
    tab.locator("#many").get_by_text("Dimensionality").click()
    expect(tab).to_have_url(re.compile("many=dimension"))
    first.locator(".as-link").click()
    expect(tab.locator("#layer")).to_have_value("stem.act1")


def test_aligned_by_progress_each_run_shows_its_own_snapshot(
    tab: Page, server: str, roles: dict[str, int]
) -> None:
    tab.goto(f"{server}/compare?runs={roles['I']},{roles['hostile']}&layer=layer4.1&align=progress&p=50")
    tab.wait_for_selector(DRAWN)
    expect(tab.locator("#iteration-text")).to_have_text("50 % of training")
    expect(tab.locator("#readout .value").first).to_contain_text("at 600, 50 %")
    expect(tab.locator("#readout .value").last).to_have_text("has no such layer")
    tab.locator("#iteration").focus()
    tab.keyboard.press("End")
    expect(tab.locator("#iteration-text")).to_have_text("100 % of training")
    expect(tab).to_have_url(re.compile("p=100"))
    tab.locator("#view-align").select_option("iteration")
    expect(tab.locator("#iteration-text")).to_have_text("1,200 of 1,200")


def test_keys_go_by_one_and_by_ten_and_play_at_the_chosen_speed(
    tab: Page, server: str, roles: dict[str, int]
) -> None:
    compare(tab, server, roles, "&i=1200&layer=layer4.1")
    tab.keyboard.press("Shift+ArrowLeft")
    expect(tab.locator("#iteration-text")).to_have_text("0 of 1,200")
    tab.keyboard.press("ArrowRight")
    expect(tab.locator("#iteration-text")).to_have_text("1 of 1,200")
    tab.keyboard.press("ArrowUp")
    expect(tab.locator("#layer")).to_have_value("layer4.1.act1")
    tab.locator("#speed").select_option("4")
    tab.locator("#play").focus()
    tab.keyboard.press("Space")
    expect(tab.locator("#play")).to_have_attribute("aria-label", "Pause")
    expect(tab.locator("#iteration-text")).to_have_text("1,200 of 1,200", timeout=15_000)
    expect(tab.locator("#play")).to_have_attribute("aria-label", "Play")


def test_a_threshold_counts_while_it_moves_and_the_server_agrees(
    tab: Page, server: str, roles: dict[str, int]
) -> None:
    compare(tab, server, roles, "&layer=layer4.1&i=1200")
    number = tab.locator("#readout .value b").first
    before = number.inner_text()
    tab.locator("#threshold").focus()
    with tab.expect_response(re.compile("/dimensions.*threshold")):
        tab.keyboard.press("Shift+ArrowUp")
        expect(number).not_to_have_text(before)
        moved = number.inner_text()
    expect(tab).to_have_url(re.compile("t=0.01"))
    at_rest(tab)
    answer = tab.request.get(f"{server}/api/v1/runs/{roles['I']}/dimensions?threshold=0.01").json()
    assert int(moved) == answer["values"][answer["layers"].index("layer4.1")][-1]
    expect(number).to_have_text(moved)
    handle = tab.locator(".threshold-handle")
    box = handle.bounding_box()
    assert box
    tab.mouse.move(box["x"] + 40, box["y"] + 4)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 40, box["y"] + 84, steps=4)
    tab.mouse.up()
    expect(number).not_to_have_text(moved)
    assert float(tab.locator("#threshold").input_value()) < 0.01


def test_a_link_opens_the_same_view_in_a_fresh_browser(
    tab: Page, server: str, roles: dict[str, int], browser: BrowserContext
) -> None:
    compare(tab, server, roles, "&layer=layer4.1", third="pretraining")
    for key, value in (("y", "relative"), ("xs", "linear"), ("band", "demo"), ("align", "progress")):
        tab.locator(f"#view-{key}").select_option(value)
    tab.keyboard.press("/")
    tab.keyboard.type("layer4")
    tab.locator("#layer-all").click()
    tab.keyboard.press("Escape")
    tab.locator("#iteration").focus()
    tab.keyboard.press("ArrowLeft")
    expect(tab).to_have_url(re.compile("p=50"))
    at_rest(tab)
    fresh = browser.browser
    assert fresh
    context = fresh.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    other = context.new_page()
    other.goto(tab.url)
    other.wait_for_selector(DRAWN)
    expect(other.locator("#iteration-text")).to_have_text("50 % of training")
    expect(other.locator("#readout")).to_have_text(tab.locator("#readout").inner_text(), use_inner_text=True)
    expect(other.locator("#band-readout")).to_contain_text("mean of")
    expect(other.locator(".small-chart")).to_have_count(4)
    at_rest(other)
    same_parts(other.evaluate(PARTS), tab.evaluate(PARTS))
    context.close()


def test_snapshots_are_fetched_once_a_hand_nears_the_cursor(
    tab: Page, server: str, roles: dict[str, int]
) -> None:
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(f"{server}/compare?runs={roles['I']},{roles['S']}&layer=layer4.1")
    tab.wait_for_selector(DRAWN)
    at_rest(tab)
    assert [url for url in asked if "/figures/spectrum?" in url]
    assert not [url for url in asked if "/spectra?" in url], "nobody has moved the cursor"
    tab.locator("#cursor").hover()
    tab.locator("#iteration").focus()
    for _ in range(5):
        tab.keyboard.press("ArrowLeft")
    at_rest(tab)
    assert len([url for url in asked if "/spectra?" in url]) == 2, (
        "one block a run, however often the cursor moves"
    )
    assert len([url for url in asked if "/static/" in url and ".js" in url]) == 2, (
        "theme and the page's own script"
    )


def test_partial_loads_say_how_much_is_here(tab: Page, server: str, roles: dict[str, int]) -> None:
    held: list[Any] = []
    tab.route("**/spectra?*", lambda route: held.append(route))
    tab.goto(f"{server}/compare?runs={roles['I']},{roles['S']}&layer=layer4.1")
    tab.wait_for_selector(DRAWN)
    note = tab.locator("figure[data-figure=spectrum] .chart-note")
    tab.locator("#iteration").focus()
    expect(note).to_have_text("loading 0 of 12 snapshots")
    for one in list(held):
        one.continue_()
    expect(note).to_have_text("")


def test_hostile_layers_are_text_in_the_tree_and_beside_each_other(
    tab: Page, server: str, roles: dict[str, int]
) -> None:
    tab.goto(
        f"{server}/compare?runs={roles['hostile']},{roles['I']}&layers=%3Cscript%3Ewindow.hacked%3D1%3C/script%3E"
    )
    tab.wait_for_selector(DRAWN)
    expect(tab.locator(".small-chart .as-link")).to_have_text("<script>window.hacked=1</script>")
    tab.keyboard.press("/")
    tab.keyboard.type("hacked")
    expect(tab.locator("#layer-tree")).to_contain_text("<u>stage</u>")
    assert tab.evaluate("window.hacked") is None


def test_on_a_telephone_the_view_is_behind_a_button(tab: Page, server: str, roles: dict[str, int]) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    compare(tab, server, roles, "&layers=~layer4")
    expect(tab.locator("#view-options")).to_be_hidden()
    tab.locator("#view-button").click()
    expect(tab.locator("#view-y")).to_be_visible()
    tab.keyboard.press("/")
    expect(tab.locator("#layer-panel")).to_be_visible()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
