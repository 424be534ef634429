"""The Runs page in headless Chromium: its view in the address, selection, editing, keys, a narrow screen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = pytest.mark.browser

ROWS = "#runs tr[data-id]"


@pytest.fixture
def told(browser: BrowserContext) -> Iterator[Page]:
    """Yield a page on which the server may refuse something: a browser notes that as an error of its own."""
    page = browser.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    yield page
    page.close()
    assert failures == []


def names(page: Page) -> list[str]:
    return page.locator(f"{ROWS} .name a:not(.tag)").all_inner_texts()


def test_sorting_and_columns_are_in_the_address_and_back_undoes_them(tab: Page, server: str) -> None:
    tab.goto(server)
    usual = names(tab)
    tab.locator("th[data-key=ap] a").click()
    expect(tab.locator("th[data-key=ap]")).to_have_attribute("aria-sort", "descending")
    expect(tab).to_have_url(re.compile(r"\?sort=-ap$"))
    best = names(tab)
    assert best[0].startswith("I: Faster")
    tab.locator("#choose-columns").click()
    tab.locator("#columns-search").fill("loss_box")
    tab.get_by_label("Lowest value of the metric loss_box_reg").check()
    tab.locator("#columns-search").fill("learning rate after")
    tab.get_by_label("training.lr").check()
    tab.locator("#columns-shown li", has_text="Parameters").get_by_label("Hide").click()
    tab.locator("#columns-form .primary").click()
    expect(tab.locator("th[data-key='loss_box_reg:min']")).to_be_visible()
    expect(tab.locator("th[data-key=parameters]")).to_have_count(0)
    expect(tab).to_have_url(re.compile(r"c=status&.*c=loss_box_reg:min&c=training\.lr"))
    fresh = tab.url
    tab.go_back()
    expect(tab.locator("th[data-key=parameters]")).to_be_visible()
    tab.go_back()
    expect(tab.locator("th[data-key=ap]")).to_have_attribute("aria-sort", "none")
    assert names(tab) == usual
    tab.goto(fresh)
    assert names(tab) == best
    expect(tab.locator("th[data-key='training.lr']")).to_be_visible()


def test_a_column_is_moved_hidden_and_grouped_by_from_its_heading(tab: Page, server: str) -> None:
    tab.goto(f"{server}/?c=ap&c=training.lr&c=status")
    heading = tab.locator("th[data-key=status]")
    heading.hover()
    heading.get_by_role("button").click()
    tab.locator("#column-menu [data-do=left]").click()
    expect(tab).to_have_url(re.compile(r"c=ap&c=status&c=training\.lr"))
    heading.hover()
    heading.get_by_role("button").click()
    tab.locator("#column-menu [data-do=group]").click()
    expect(tab.locator("#runs tbody[data-label=succeeded] tr.group")).to_contain_text("runs")
    expect(tab.locator("#by")).to_have_value("status")
    fold = tab.locator("tbody[data-label=failed] .group-fold")
    fold.click()
    expect(tab.locator("tbody[data-label=failed] tr[data-id]")).to_be_hidden()
    fold.click()
    tab.locator("tbody[data-label=succeeded] input[data-group]").check()
    count = tab.locator("tbody[data-label=succeeded] tr[data-id]").count()
    expect(tab.locator("#selected")).to_have_text(f"{count} selected")


def test_a_filter_is_added_by_hand_and_its_mistakes_are_told_at_it(told: Page, server: str) -> None:
    told.goto(server)
    told.locator("#add-filter").click()
    told.locator("#filter-column").fill("Learning")
    told.locator("#filter-form .primary").click()
    expect(told.locator("#filter-error")).to_contain_text("there is no column 'Learning'")
    told.locator("#filter-column").fill("AP")
    told.locator("#filter-operator").select_option(">")
    told.locator("#filter-value").fill("35")
    told.locator("#filter-form .primary").click()
    expect(told.locator(ROWS)).to_have_count(1)
    expect(told.locator("#chips")).to_contain_text("AP more than 35")
    expect(told).to_have_url(re.compile(r"f=ap%3E35"))
    told.get_by_label("Remove the filter AP more than 35").click()
    expect(told.locator("#chips")).to_be_hidden()
    expect(told.locator(ROWS).nth(3)).to_be_visible()


def test_name_tags_and_notes_are_edited_in_the_row_and_outlive_what_happens_meanwhile(
    told: Page, server: str, roles: dict[str, int], passing_run: Callable[..., int]
) -> None:
    told.goto(server)
    told.wait_for_timeout(1000)
    run = passing_run()
    row = told.locator(f"#run-{run}")
    expect(row).to_contain_text("1 / 1,200", timeout=10_000)
    row.hover()
    row.get_by_label("Edit").click()
    editor = told.locator("tr.editor")
    editor.get_by_label("Name").fill("")
    editor.get_by_label("Tags", exact=True).fill("seeds")
    passing_run(iteration=600)
    other = told.locator(f"#run-{roles['I']}")
    expect(other).to_be_visible()
    told.wait_for_timeout(2000)
    expect(row).to_contain_text("1 / 1,200")
    expect(editor.get_by_label("Tags", exact=True)).to_have_value("seeds")
    editor.get_by_label("Tags", exact=True).press("Enter")
    expect(editor.locator(".edited-tags")).to_contain_text("seeds")
    editor.get_by_role("button", name="Save").click()
    expect(editor.locator("[data-path=name] .field-error")).to_contain_text("at least one letter")
    editor.get_by_label("Name").fill("a <b>better</b> name")
    editor.get_by_label("Notes").fill("too short\nby half")
    editor.get_by_role("button", name="Save").click()
    expect(editor).to_have_count(0)
    expect(row.locator(".name")).to_contain_text("a <b>better</b> name")
    expect(row.locator(".tag")).to_have_text("seeds")
    expect(row).to_contain_text("600 / 1,200")
    expect(row.get_by_label("Notes: too short")).to_be_visible()
    row.focus()
    told.keyboard.press("e")
    expect(editor.get_by_label("Name")).to_have_value("a <b>better</b> name")
    expect(editor.get_by_label("Notes")).to_have_value("too short\nby half")
    told.keyboard.press("Escape")
    expect(editor).to_have_count(0)
    expect(row).to_be_focused()


def test_a_batch_says_how_it_went_run_by_run(
    tab: Page, server: str, roles: dict[str, int], passing_run: Callable[..., int]
) -> None:
    run = passing_run(status="succeeded")
    tab.goto(server)
    for one in (run, roles["running"]):
        tab.locator(f"#run-{one} input").check()
    tab.locator("[data-batch=archive]").click()
    expect(tab.locator("#results-title")).to_have_text("1 archived, 1 not")
    refused = tab.locator("#results-list .refused")
    expect(refused).to_contain_text("S: Faster R-CNN, ResNet-50 FPN, group norm")
    expect(refused).to_contain_text("cancel it or wait for its end")
    tab.locator("#results").get_by_role("button", name="Close").click()
    expect(tab.locator(f"#run-{run}")).to_have_count(0)
    tab.locator("select[name=archived]").select_option("only")
    expect(tab.locator(ROWS)).to_have_count(1)
    tab.locator(f"#run-{run} input").check()
    tab.locator("[data-batch=unarchive]").click()
    expect(tab.locator("#foot")).to_contain_text("No run is archived")
    tab.locator("select[name=archived]").select_option("no")
    tab.locator(f"#run-{run} input").check()
    tab.locator("[data-batch=delete]").click()
    expect(tab.locator("#confirm-text")).to_contain_text("a passing run")
    tab.locator("#confirm-yes").click()
    expect(tab.locator("#toasts")).to_contain_text("1 deleted")
    expect(tab.locator(f"#run-{run}")).to_have_count(0)


def test_all_by_keyboard(tab: Page, server: str, roles: dict[str, int]) -> None:
    tab.goto(f"{server}/?sort=id")
    tab.keyboard.press("j")
    expect(tab.locator(ROWS).first).to_be_focused()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("x")
    tab.keyboard.press("j")
    tab.keyboard.press("x")
    expect(tab.locator("#selected")).to_have_text("2 selected")
    tab.keyboard.press("k")
    expect(tab.locator(f"#run-{roles['I']}")).to_be_focused()
    tab.keyboard.press("Escape")
    expect(tab.locator("#selection")).to_be_hidden()
    tab.keyboard.press("?")
    expect(tab.locator("#help")).to_contain_text("select the run")
    tab.keyboard.press("Escape")
    tab.keyboard.press("/")
    tab.keyboard.type("seed 2")
    expect(tab.locator(ROWS)).to_have_count(1)
    tab.keyboard.press("ArrowDown")
    expect(tab.locator(ROWS)).to_be_focused()
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"**/runs/{roles['queued']}")


def test_rows_keep_their_place_selection_and_focus_when_others_change(
    tab: Page, server: str, roles: dict[str, int], passing_run: Callable[..., int]
) -> None:
    tab.goto(f"{server}/?sort=-iteration&by=status")
    tab.locator(f"#run-{roles['S']} input").check()
    tab.locator(f"#run-{roles['S']}").focus()
    tab.evaluate(f"document.getElementById('run-{roles['S']}').marked = true")
    tab.wait_for_timeout(1000)
    run = passing_run()
    expect(tab.locator(f"tbody[data-label=running] #run-{run}")).to_be_visible(timeout=10_000)
    passing_run(status="succeeded", iteration=1200)
    expect(tab.locator(f"tbody[data-label=succeeded] #run-{run}")).to_be_visible(timeout=10_000)
    expect(tab.locator(f"#run-{roles['S']} input")).to_be_checked()
    expect(tab.locator(f"#run-{roles['S']}")).to_be_focused()
    assert tab.evaluate(f"document.getElementById('run-{roles['S']}').marked") is True


def test_on_a_telephone_names_stay_in_sight_and_every_column_can_be_reached(tab: Page, server: str) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(server)
    pane = tab.locator("#pane")
    for column in tab.locator("#columns th").all():
        expect(column).to_be_visible()
    assert pane.evaluate("(e) => e.scrollWidth > e.clientWidth")
    name = tab.locator(f"{ROWS} .name").first
    before = name.bounding_box()
    pane.evaluate("(e) => e.scrollTo(e.scrollWidth, 0)")
    after = name.bounding_box()
    assert before is not None
    assert after is not None
    assert after["x"] <= before["x"]
    assert after["x"] >= 0
    expect(tab.locator("th[data-key=created_at]")).to_be_in_viewport()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.set_viewport_size({"width": 1440, "height": 900})
