"""The story and the settings in headless Chromium: links, folding, hiding, copying; any console error fails."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_a_finding_opens_its_figure_under_its_cursor(tab: Page, server: str, roles: dict[str, int]) -> None:
    tab.goto(f"{server}/compare?runs={roles['I']},{roles['S']}")
    tab.get_by_role("link", name="Power-law slope α by depth").click()
    expect(tab.locator("#criterion")).to_have_value("power_law")
    figure = tab.locator("figure[data-figure=dimension_by_depth]")
    expect(figure).to_be_in_viewport()
    expect(figure.locator(".scatterlayer .trace")).not_to_have_count(0)
    tab.get_by_role("link", name="Dimensionality by depth").click()
    expect(tab.locator("#iteration-text")).to_have_text("0 of 1,200")
    expect(tab.locator("#layer")).to_have_value("stem.act1")
    tab.get_by_role("link", name="Heatmap of S").click()
    expect(tab.locator(f"figure[data-figure=heatmap][data-runs='{roles['S']}']")).to_be_in_viewport()


def test_folding_and_hiding_are_kept_in_the_address(tab: Page, server: str, roles: dict[str, int]) -> None:
    tab.goto(f"{server}/compare?runs={roles['I']},{roles['S']}")
    expect(tab.locator(".findings")).to_be_visible()
    tab.locator("#story summary").focus()
    tab.keyboard.press("Enter")
    expect(tab.locator(".findings")).to_be_hidden()
    expect(tab.locator(".story-headline")).to_be_visible()
    expect(tab).to_have_url(re.compile(r"[?&]story=0"))
    same = tab.locator("#settings-table tr.same[data-setting]").first
    expect(same).to_be_hidden()
    tab.locator("#hide-identical").uncheck()
    expect(same).to_be_visible()
    expect(tab).to_have_url(re.compile(r"[?&]same=1"))
    tab.reload()
    expect(tab.locator(".findings")).to_be_hidden()
    expect(same).to_be_visible()
    tab.locator("#hide-identical").check()
    tab.locator("#story summary").click()
    expect(tab).to_have_url(re.compile(rf"runs={roles['I']},{roles['S']}(?!.*(story|same)=)"))


def test_the_table_is_copied_as_it_is_shown(tab: Page, server: str, roles: dict[str, int]) -> None:
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server)
    tab.goto(f"{server}/compare?runs={roles['hostile']},{roles['running']}")
    tab.locator("#copy-settings").click()
    expect(tab.locator(".toast")).to_contain_text("copied")
    lines = tab.evaluate("navigator.clipboard.readText()").split("\n")
    assert lines[0].split("\t")[:2] == ["Setting", "<img src=x onerror=window.hacked=1><b>%{x}</b>"]
    shown = tab.locator("#settings-table tr.differs").count()
    assert len(lines) == 1 + shown
    cells = {line.split("\t")[0]: line.split("\t")[1:] for line in lines}
    assert cells["model.norm"] == ["batch", "group"]
    tab.context.clear_permissions()


def test_differing_cells_carry_a_sign(tab: Page, server: str, roles: dict[str, int]) -> None:
    tab.goto(f"{server}/compare?runs={roles['I']},{roles['running']}")
    row = tab.locator("#settings-table tr[data-setting='model.norm']")
    expect(row.locator("td").nth(0)).to_have_text("batch")
    expect(row.locator("td").nth(1)).to_have_text(re.compile(r"≠\s+group"))
    expect(row.locator("th")).to_contain_text("⚠")


def test_on_a_telephone_findings_are_short_until_they_are_touched(
    tab: Page, server: str, roles: dict[str, int]
) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(f"{server}/compare?runs={roles['I']},{roles['S']}")
    findings = tab.locator(".findings")
    expect(findings).to_be_visible()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    rows = findings.locator("li:not(.story-notes)")
    heights = [rows.nth(k).bounding_box()["height"] for k in range(rows.count())]  # type: ignore[index]
    assert max(heights) <= 64
    first = rows.first
    expect(first.locator(".finding-links")).to_be_hidden()
    first.locator(".finding-text").click(force=True)
    expect(first.locator(".finding-links")).to_be_visible()
    assert first.bounding_box()["height"] > 64  # type: ignore[index]
    first.locator(".finding-links a").first.click()
    expect(tab).to_have_url(re.compile("#chart-"))
