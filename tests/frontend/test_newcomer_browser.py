"""What somebody stumbled over who saw the pages for the first time, in headless Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from backend.database import Database
from backend.models import Checkpoint
from backend.settings import Settings

pytestmark = pytest.mark.browser

CONTRAST = """(selector) => {
  const style = getComputedStyle(document.querySelector(selector));
  const light = (colour) => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((one) => one / 255);
    const [r, g, b] = parts.map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [a, b] = [light(style.color), light(style.backgroundColor)].sort((x, y) => y - x);
  return [(a + 0.05) / (b + 0.05), Number(style.opacity)];
}"""


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    opened = browser.new_page()
    yield opened
    opened.close()


def test_the_filter_says_what_a_bare_number_is_in(page: Page, server: str) -> None:
    page.goto(server)
    page.locator("#add-filter").click()
    page.locator("#filter-column").fill("AP")
    expect(page.locator("#filter-unit")).to_have_text("%")
    page.locator("#filter-column").fill("training.lr")
    expect(page.locator("#filter-unit")).to_have_text("")


def test_the_whole_heading_sorts(page: Page, server: str) -> None:
    page.goto(server)
    box = page.locator("th[data-key=dataset]").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] - 3)
    expect(page.locator("th[data-key=dataset]")).to_have_attribute("aria-sort", "ascending")


def test_escape_closes_the_layers_wherever_the_focus_is(
    page: Page, server: str, roles: dict[str, int]
) -> None:
    page.goto(f"{server}/runs/{roles['I']}")
    page.locator("#layer").click()
    page.locator("#layer").fill("layer1")
    page.locator("#layer-all").click()
    expect(page.locator("#layer-panel")).to_be_visible()
    page.locator("#layer-none").click()
    page.keyboard.press("Escape")
    expect(page.locator("#layer-panel")).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_primary_button_that_is_disabled_can_be_read(page: Page, server: str, theme: Any) -> None:
    page.emulate_media(color_scheme=theme)
    page.goto(f"{server}/new")
    page.evaluate("document.querySelector('button.primary').disabled = true")
    contrast, opacity = page.evaluate(CONTRAST, "button.primary")
    assert contrast >= 4.5
    assert opacity == 1


def test_accuracy_is_in_sight_on_a_telephone(page: Page, server: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(server)
    for selector in ("th[data-key=ap] a", "tr[data-id] td.strong >> nth=0"):
        box = page.locator(selector).first.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390, selector


def test_a_run_that_failed_at_once_shows_its_error_and_log_first(
    page: Page, server: str, passing_run: Callable[..., int], seeded: tuple[Settings, dict[str, int]]
) -> None:
    run = passing_run(
        status="failed",
        error="no such file",
        iteration=0,
        name="a long name of a run whose end tells it apart: b",
    )
    database = Database(seeded[0].database)
    with database.writing() as session:
        session.query(Checkpoint).where(Checkpoint.run_id == run).delete()
    database.dispose()
    page.goto(f"{server}/runs/{run}")
    snapshots = page.locator("#head").get_attribute("data-snapshots")
    if snapshots != "0":
        pytest.fail("the passing run has snapshots")
    expect(page.locator("#cursor")).to_be_hidden()
    expect(page.locator("#training")).to_be_hidden()
    expect(page.locator("#log")).to_be_in_viewport()
    resume = page.locator("#action-resume")
    expect(resume).to_have_attribute("aria-disabled", "true")
    expect(page.locator("#why-resume")).to_contain_text("no checkpoint to go on from")
    passing_run(status="queued", error=None)
    expect(page.locator("#cursor")).to_be_visible()


def test_archiving_can_be_taken_back_and_leaves_no_word_of_the_button(
    page: Page, server: str, passing_run: Callable[..., int]
) -> None:
    run = passing_run(status="failed", error="x")
    page.goto(f"{server}/runs/{run}")
    page.locator("#action-archive").click()
    expect(page.locator("#action-archive")).to_have_text("Unarchive")
    expect(page.locator("#why-archive")).to_be_hidden()
    page.locator("#toasts button").click()
    expect(page.locator("#action-archive")).to_have_text("Archive")


def test_a_new_name_reaches_the_readout(page: Page, server: str, passing_run: Callable[..., int]) -> None:
    run = passing_run(status="succeeded")
    page.goto(f"{server}/runs/{run}")
    page.locator("#word-name [data-edit]").click()
    page.locator("#word-name textarea").fill("renamed")
    page.keyboard.press("Enter")
    expect(page.locator("#readout li a")).to_have_text("renamed")


def test_a_block_that_arrives_draws_its_own_chart_alone(
    page: Page, server: str, roles: dict[str, int]
) -> None:
    page.add_init_script(
        """window.drawn = 0;
        const clear = CanvasRenderingContext2D.prototype.clearRect;
        CanvasRenderingContext2D.prototype.clearRect = function (...all) {
          if (this.canvas.closest(".small-chart")) window.drawn++;
          return clear.apply(this, all);
        };"""
    )
    page.goto(f"{server}/runs/{roles['I']}?layers=layer1..layer4#multiples")
    page.locator("#layer").click()
    page.locator("#layer-all").click()
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelectorAll('.small-chart').length > 8")
    page.locator("#multiples").scroll_into_view_if_needed()
    page.wait_for_timeout(2500)
    before = page.evaluate("window.drawn")
    charts = page.locator(".small-chart").count()
    for _ in range(12):
        page.mouse.wheel(0, 300)
        page.wait_for_timeout(80)
    page.wait_for_timeout(1000)
    assert page.evaluate("window.drawn") - before <= 4 * charts
