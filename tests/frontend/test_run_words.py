"""The Run page in Chromium: its name, tags and notes edited where they stand; the archive."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = pytest.mark.browser
PLACES = """[...document.querySelectorAll('#head .status, #head .buttons, #words, #word-notes, #state, #training')]
  .map((one) => one.getBoundingClientRect()).map(({ x, y }) => `${x} ${y}`).join()"""


@pytest.fixture(autouse=True)
def leave(tab: Page, passing_run: Callable[..., int]) -> Iterator[None]:
    """Leave the page before its run goes: a figure of a run that is gone is refused."""
    yield
    tab.goto("about:blank")


@pytest.fixture
def sent(tab: Page) -> list[Any]:
    """Return the changes that the page sends, as they are sent."""
    found: list[Any] = []
    tab.on("request", lambda one: found.append(one.post_data_json) if one.method == "PATCH" else None)
    return found


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"tags": ["seeds", "paper"], "notes": "first line\nsecond"},
        {"tags": [f"a longer tag {k}" for k in range(20)], "notes": "a line\n" * 30},
    ],
)
@pytest.mark.parametrize("width", [1440, 390])
def test_an_editor_opens_in_place_and_nothing_moves_for_it(
    tab: Page, server: str, passing_run: Callable[..., int], words: Any, width: int
) -> None:
    run = passing_run(status="succeeded", **words)
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto(f"{server}/runs/{run}")
    before = tab.evaluate(PLACES)
    for key in ("name", "tags", "notes"):
        tab.locator(f"#word-{key} [data-edit]").click()
        expect(tab.locator(f"#word-{key} .word-editor")).to_be_visible()
        assert tab.evaluate(PLACES) == before
        if key == "name":
            tab.keyboard.press("Delete")
            expect(tab.locator("#problem-name")).to_be_visible()
            assert tab.evaluate(PLACES) == before
        tab.keyboard.press("Escape")
        expect(tab.locator(".word-editor")).to_have_count(0)
        expect(tab.locator(f"#word-{key} [data-edit]")).to_be_focused()
        assert tab.evaluate(PLACES) == before
    tab.set_viewport_size({"width": 1440, "height": 900})


def test_a_run_is_renamed_by_keyboard_and_escape_gives_up(
    tab: Page, server: str, passing_run: Callable[..., int], sent: list[Any]
) -> None:
    run = passing_run(status="succeeded")
    tab.goto(f"{server}/runs/{run}")
    tab.keyboard.press("e")
    name = tab.get_by_role("textbox", name="Name")
    expect(name).to_be_focused()
    assert name.evaluate("(one) => getComputedStyle(one).outlineWidth") == "2px"
    name.fill("given up")
    tab.keyboard.press("Escape")
    expect(tab.locator("h1")).to_contain_text("a passing run")
    assert sent == []
    tab.keyboard.press("Enter")
    name.fill("  ")
    expect(tab.locator("#problem-name")).to_have_text("Write at least one letter.")
    expect(name).to_have_attribute("aria-invalid", "true")
    tab.keyboard.press("Enter")
    expect(name).to_be_focused()
    name.fill("x" * 201)
    expect(tab.locator("#problem-name")).to_contain_text("It has 201 letters, 200 are allowed")
    name.fill("no\ttab")
    expect(tab.locator("#problem-name")).to_contain_text("cannot be seen")
    name.fill("<b>better</b> {{ name }}")
    expect(tab.locator("#problem-name")).to_be_hidden()
    tab.keyboard.press("Enter")
    expect(tab.locator(".word-editor")).to_have_count(0)
    expect(tab.locator("h1 .word-text")).to_have_text("<b>better</b> {{ name }}")
    expect(tab.locator("#word-name [data-edit]")).to_be_focused()
    expect(tab).to_have_title(re.compile("<b>better</b>"))
    assert sent == [{"name": "<b>better</b> {{ name }}"}]


def test_tags_are_added_and_taken_away(
    tab: Page, server: str, passing_run: Callable[..., int], sent: list[Any]
) -> None:
    run = passing_run(status="succeeded", tags=["old", 'it\'s "quoted"'])
    tab.goto(f"{server}/runs/{run}")
    tab.get_by_role("button", name="Edit the tags").click()
    tag = tab.get_by_role("textbox", name="Tags")
    tag.press_sequentially("seeds")
    tag.press("Enter")
    tab.get_by_role("button", name="Remove the tag old").click()
    expect(tag).to_be_focused()
    tag.fill("y" * 61)
    expect(tab.locator("#problem-tags")).to_contain_text("61 letters, 60 are allowed")
    tag.fill("a/b c")
    tag.press("Enter")
    tag.press("Enter")
    expect(tab.locator(".word-editor")).to_have_count(0)
    expect(tab.locator("#word-tags .tag")).to_have_text(['it\'s "quoted"', "seeds", "a/b c"])
    assert sent == [{"tags": ['it\'s "quoted"', "seeds", "a/b c"]}]
    tab.locator("#word-tags .tag", has_text="a/b c").click()
    expect(tab.locator(f"#run-{run}")).to_be_visible()
    expect(tab.locator("#runs tr[data-id]")).to_have_count(1)


def test_an_open_editor_outlives_what_the_server_tells_meanwhile_and_saves_when_left(
    tab: Page, server: str, passing_run: Callable[..., int], sent: list[Any]
) -> None:
    run = passing_run()
    tab.goto(f"{server}/runs/{run}")
    tab.wait_for_timeout(1000)
    tab.get_by_role("button", name="Add notes").click()
    notes = tab.get_by_role("textbox", name="Notes")
    tab.keyboard.type("half a ")
    passing_run(iteration=700, name="renamed elsewhere")
    expect(tab.locator("#state")).to_contain_text("700 of 1,200 iterations", timeout=10_000)
    expect(tab.locator("h1")).to_contain_text("renamed elsewhere")
    expect(notes).to_be_focused()
    tab.keyboard.type("sentence")
    tab.keyboard.press("Enter")
    tab.keyboard.type("and more")
    expect(notes).to_have_value("half a sentence\nand more")
    tab.locator("#settings-title").click()
    expect(tab.locator(".word-editor")).to_have_count(0)
    expect(tab.locator("#word-notes .word-text")).to_have_text(
        "half a sentence\nand more", use_inner_text=True
    )
    assert sent == [{"notes": "half a sentence\nand more"}]
    tab.get_by_role("button", name="Edit the notes").click()
    notes.fill("short")
    notes.press("Control+Enter")
    expect(tab.locator("#word-notes .word-text")).to_have_text("short")
    assert sent[1:] == [{"notes": "short"}]


def test_a_refusal_stands_at_the_field_and_what_was_typed_stays(
    browser: BrowserContext, server: str, passing_run: Callable[..., int]
) -> None:
    run = passing_run(status="succeeded")
    page = browser.new_page()
    page.goto(f"{server}/runs/{run}")
    refusal = {"error": "conflict", "detail": "run 1 is gone; look again"}
    page.route(
        "**/api/v1/runs/*",
        lambda route: (
            route.fulfill(status=409, json=refusal) if route.request.method == "PATCH" else route.continue_()
        ),
    )
    page.keyboard.press("e")
    page.keyboard.type("kept")
    page.keyboard.press("Enter")
    expect(page.locator("#problem-name")).to_have_text("run 1 is gone; look again")
    expect(page.get_by_role("textbox", name="Name")).to_have_value("kept")
    page.close()


def test_a_run_is_archived_and_brought_back(
    tab: Page, server: str, passing_run: Callable[..., int], sent: list[Any]
) -> None:
    run = passing_run()
    tab.goto(f"{server}/runs/{run}")
    archive = tab.locator("#action-archive")
    expect(archive).to_have_attribute("aria-disabled", "true")
    archive.focus()
    expect(tab.locator("#why-archive")).to_have_text("Possible when a run has ended; this one is running.")
    passing_run(status="succeeded")
    expect(archive).not_to_have_attribute("aria-disabled", "true", timeout=10_000)
    archive.press("Enter")
    expect(tab.locator("#state")).to_contain_text("This run is archived", timeout=10_000)
    expect(archive).to_have_text("Unarchive")
    expect(archive).to_be_focused()
    archive.press("Enter")
    expect(archive).to_have_text("Archive", timeout=10_000)
    expect(tab.locator("#state")).not_to_contain_text("archived")
    assert sent == [{"archived": True}, {"archived": False}]
