"""Every page under axe-core, light and dark, wide and narrow; and by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async (tags) => {
  const found = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
  return found.violations.filter((one) => ["serious", "critical"].includes(one.impact)).map((one) =>
    `${one.id}: ${one.nodes.length} x ${one.nodes[0].target} (${one.nodes[0].failureSummary})`);
}"""


@pytest.fixture(scope="module")
def axe(absent: Callable[[str], Any]) -> str:
    """Return axe-core's source."""
    if not AXE.exists():
        absent("needs axe-core: run `npm ci` in frontend/ (or `make lint`, which does)")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture
def quiet(browser: BrowserContext) -> Iterator[Page]:
    """Yield a page; that an error page's own status is noted in the console is no problem."""
    page = browser.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_serious(
    quiet: Page, gallery: tuple[str, list[Any]], settle: Any, axe: str, theme: Any, width: int
) -> None:
    server, shots = gallery
    quiet.emulate_media(color_scheme=theme)
    quiet.set_viewport_size({"width": width, "height": 900})
    found: dict[str, Any] = {}
    for shot in shots:
        quiet.goto(server + shot.address)
        settle(quiet)
        for key in shot.press:
            quiet.keyboard.press(key)
        quiet.evaluate(axe)
        if problems := quiet.evaluate(RUN, TAGS):
            found[shot.name] = problems
    assert found == {}


def test_axe_would_find_a_defect(quiet: Page, axe: str) -> None:
    quiet.set_content("<html lang='en'><title>x</title><main><h1>x</h1><button></button></main>")
    quiet.evaluate(axe)
    assert any("button-name" in problem for problem in quiet.evaluate(RUN, TAGS))


FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const style = getComputedStyle(one);
  // An item of a tree holds its children: the ring is drawn around its own row.
  const shown = [one, one.parentElement, one.querySelector(":scope > .row")].filter(Boolean).some((each) => {
    const of = getComputedStyle(each);
    return of.outlineStyle !== "none" && parseFloat(of.outlineWidth) >= 1;
  });
  return { what: one.outerHTML.slice(0, 120), seen: shown || style.outlineStyle === "auto" };
}"""


def test_every_stop_of_the_keyboard_is_seen(quiet: Page, gallery: tuple[str, list[Any]], settle: Any) -> None:
    server, shots = gallery
    for shot in shots:
        if shot.press:
            continue
        quiet.goto(server + shot.address)
        settle(quiet)
        first = None
        for _ in range(60):
            quiet.keyboard.press("Tab")
            focused = quiet.evaluate(FOCUSED)
            if focused is None:
                break
            first = first or focused
            assert focused["seen"], (shot.name, focused["what"])
        if shot.name != "sign-in":
            assert first
            assert "Skip to content" in first["what"], shot.name


def test_a_comparison_by_keyboard_alone(tab: Page, server: str, roles: dict[str, int]) -> None:
    tab.goto(server)
    tab.keyboard.press("Tab")
    expect(tab.get_by_text("Skip to content")).to_be_focused()
    expect(tab.get_by_text("Skip to content")).to_be_in_viewport()
    tab.keyboard.press("Enter")
    for role in ("I", "S"):
        box = tab.locator(f"#run-{roles[role]} input")
        for _ in range(200):
            tab.keyboard.press("Tab")
            if box.evaluate("(one) => one === document.activeElement"):
                break
        else:
            tab.locator("body").press("Home")
            box.focus()
        tab.keyboard.press("Space")
        expect(box).to_be_checked()
    compare = tab.locator("#compare")
    for _ in range(400):
        if compare.evaluate("(one) => one === document.activeElement"):
            break
        tab.keyboard.press("Shift+Tab")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/compare?runs=*")
    tab.wait_for_selector("figure[data-figure=spectrum] .scatterlayer .trace")
    tab.keyboard.press("Home")
    expect(tab.locator("#iteration-text")).to_have_text("0 of 1,200")
    tab.keyboard.press("?")
    expect(tab.locator("#help")).to_be_visible()
    tab.keyboard.press("Escape")
    expect(tab.locator("#help")).to_be_hidden()
