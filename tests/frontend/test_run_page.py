"""The Run page in Chromium: watched live, its log searched, its look shared, its buttons explained."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

from backend.database import Database
from backend.measurements import repository as measurements
from backend.models.base import now
from backend.runs.repository import append_log
from backend.settings import Settings

pytestmark = pytest.mark.browser
STAMP = "2026-11-24 13:50:57,249"
LOSS = "figure[data-figure=losses] .scatterlayer .trace"


@pytest.fixture
def told(
    seeded: tuple[Settings, dict[str, int]], passing_run: Callable[..., int]
) -> Iterator[Callable[..., int]]:
    """Yield a function that lets a running run log lines and measure, and returns its id."""
    database = Database(seeded[0].database)

    def tell(lines: list[str], iteration: int = 1, **metrics: float) -> int:
        run = passing_run(iteration=iteration, lease_expires_at=now() + timedelta(seconds=60))
        with database.writing() as session:
            append_log(session, run, lines)
            measurements.write_metrics(session, run, [(iteration, *one) for one in metrics.items()])
        passing_run(iteration=iteration)
        return run

    yield tell
    database.dispose()


def long_log(lines: int = 1500) -> list[str]:
    found = [f"{STAMP} INFO iteration {k}: <b>loss</b> 1.{k:04d}" for k in range(1, lines + 1)]
    found[99] = f"{STAMP} WARNING the needle_100% lies deep"
    found[1399] = f"{STAMP} ERROR another NEEDLE_100% here"
    return found


def test_a_run_is_watched_live_and_what_is_typed_stays(
    tab: Page, server: str, told: Callable[..., int]
) -> None:
    run = told(["begun"], 1)
    tab.goto(f"{server}/runs/{run}")
    expect(tab.locator("#log .line")).to_have_text(["begun"])
    expect(tab.locator("#heartbeat")).to_have_text(re.compile("heard from .* ago"))
    tab.locator("#log-find").press_sequentially("new", delay=20)
    expect(tab.locator("#log-hits")).to_have_text("no line has it")
    told(["something new"], 40, gpu_memory=2.0**31)
    expect(tab.locator("#state")).to_contain_text("40 of 1,200 iterations", timeout=15_000)
    expect(tab.locator("#log .line")).to_have_count(2)
    expect(tab.locator("#log mark")).to_have_text("new")
    expect(tab.locator("#log-find")).to_have_value("new")
    expect(tab.locator("#log-find")).to_be_focused()
    expect(tab.locator("#training-more figure[data-figure=gpu_memory]")).to_have_count(1)


def test_the_log_stays_where_it_is_read_and_says_what_is_new(
    tab: Page, server: str, told: Callable[..., int]
) -> None:
    run = told(long_log())
    tab.goto(f"{server}/runs/{run}")
    log = tab.locator("#log")
    expect(log.locator(".line").last).to_contain_text("iteration 1500")
    log.evaluate("(box) => { box.scrollTop = 2000; }")
    expect(tab.locator("#log-end")).to_be_visible()
    at = log.evaluate("(box) => box.scrollTop")
    told(["one more"], 2)
    expect(tab.locator("#log-end")).to_have_text("1 new line ↓", timeout=15_000)
    assert log.evaluate("(box) => box.scrollTop") == at
    tab.locator("#log-end").click()
    expect(log.locator(".line").last).to_be_in_viewport()
    expect(tab.locator("#log-end")).to_be_hidden()


def test_older_lines_come_as_one_scrolls_up(tab: Page, server: str, told: Callable[..., int]) -> None:
    run = told(long_log())
    tab.goto(f"{server}/runs/{run}")
    expect(tab.locator("#log .line")).to_have_count(500)
    tab.locator("#log").scroll_into_view_if_needed()
    for count in (1000, 1500):
        first = tab.locator("#log .line").first
        before = first.get_attribute("data-number")
        tab.locator("#log").evaluate("(box) => { box.scrollTop = 0; }")
        expect(tab.locator("#log .line")).to_have_count(count)
        expect(tab.locator(f'#log [data-number="{before}"]')).to_be_in_viewport()


def test_a_search_finds_what_is_not_in_the_page_and_goes_from_hit_to_hit(
    tab: Page, server: str, told: Callable[..., int]
) -> None:
    run = told(long_log())
    tab.goto(f"{server}/runs/{run}")
    tab.locator("#log").scroll_into_view_if_needed()
    tab.locator("#log-find").fill("needle_100%")
    expect(tab.locator("#log-hits")).to_have_text("2 of 2")
    expect(tab.locator("#log .current mark")).to_have_text("NEEDLE_100%")
    tab.locator("#log-find").press("Shift+Enter")
    expect(tab.locator("#log-hits")).to_have_text("1 of 2")
    expect(tab.locator("#log .current")).to_contain_text("lies deep")
    expect(tab.locator("#log .current")).to_be_in_viewport()
    tab.locator("#log-next").click()
    expect(tab.locator("#log-hits")).to_have_text("2 of 2")
    expect(tab).to_have_url(re.compile("find=needle_100%25"))
    tab.locator("#log-level").select_option("error")
    expect(tab.locator("#log .line")).to_have_count(1)
    expect(tab.locator("#log-hits")).to_have_text("1 of 1")
    assert tab.locator("#log b").count() == 0


def test_smoothing_and_axis_are_in_the_address_and_open_elsewhere(
    tab: Page, server: str, roles: dict[str, int]
) -> None:
    tab.goto(f"{server}/runs/{roles['I']}")
    tab.wait_for_selector(LOSS)
    expect(tab.locator("#smooth-text")).to_have_text("auto")
    tab.locator("#smooth").focus()
    with tab.expect_response(re.compile("figures/losses.*smooth=")):
        tab.keyboard.press("ArrowRight")
    tab.locator("#loss-scale").get_by_text("Linear").click()
    expect(tab).to_have_url(re.compile(r"smooth=\d+.*loss=linear"))
    words = tab.locator("#smooth-text").inner_text()
    assert tab.context.browser
    elsewhere = tab.context.browser.new_context()
    page = elsewhere.new_page()
    with page.expect_response(re.compile("figures/losses.*smooth=.*yscale=linear")):
        page.goto(tab.url)
    expect(page.locator("#smooth-text")).to_have_text(words)
    expect(page.locator("#loss-scale input[value=linear]")).to_be_checked()
    elsewhere.close()
    tab.locator("#smooth-auto").click()
    expect(tab.locator("#smooth-text")).to_have_text("auto")
    expect(tab).not_to_have_url(re.compile("smooth="))


def test_a_button_that_cannot_be_used_says_why_to_the_keyboard(
    tab: Page, server: str, roles: dict[str, int]
) -> None:
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.method))
    tab.goto(f"{server}/runs/{roles['I']}")
    resume = tab.locator("#action-resume")
    expect(tab.locator("#why-resume")).to_be_hidden()
    resume.focus()
    expect(tab.locator("#why-resume")).to_have_text(
        "Possible when a run is failed, cancelled or lost; this one is succeeded."
    )
    expect(tab.locator("#why-resume")).to_be_visible()
    tab.keyboard.press("Enter")
    assert set(asked) == {"GET"}
    expect(tab.locator("#confirm")).to_be_hidden()
    tab.locator("#action-delete").click()
    expect(tab.locator("#confirm")).to_be_visible()


def test_on_a_telephone_nothing_leaves_the_page_and_no_word_is_broken(
    tab: Page, server: str, roles: dict[str, int]
) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(f"{server}/runs/{roles['I']}")
    tab.locator("#action-cancel").focus()
    expect(tab.locator("#why-cancel")).to_be_visible()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tall = tab.evaluate(
        """[...document.querySelectorAll('.setting-groups dd')].filter(
             (one) => !one.textContent.includes(' ') && one.offsetHeight > 24).map((one) => one.textContent)"""
    )
    assert tall == []
    checkpoint = tab.locator("#settings-title")
    checkpoint.scroll_into_view_if_needed()
    expect(checkpoint).to_be_in_viewport()


@pytest.mark.parametrize("seconds", [2, 45])
def test_a_silent_worker_is_warned_of(
    client: TestClient, passing_run: Callable[..., int], seconds: int
) -> None:
    run = passing_run(lease_expires_at=now() + timedelta(seconds=60 - seconds))
    page = client.get(f"/runs/{run}").text
    assert ("heartbeat stale" in page) == (seconds > 20)
