"""A person's way through the pages, with a real worker behind them: launch, watch, compare, scrub, share."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(300)]

PATIENCE = 150_000
WIDTHS = "stem=8, layer1=8, layer2=16, layer3=16, layer4=32, fpn=16, box_head=32"
FIELDS = {
    "#f-model-widths": WIDTHS,
    "#f-training-iterations": "6",
    "#f-training-batch_size": "2",
    "#f-training-warmup": "2",
    "#f-training-milestones": "",
    "#f-training-image_size": "96",
    "#f-probe-images": "2",
    "#f-probe-every": "3",
    "#f-evaluate_every": "0",
    "#f-checkpoint_every": "0",
}


def readings(tab: Page) -> list[str]:
    """Return what the cursor reads of each of the two runs, once their spectra have come."""
    lines = tab.locator("#readout li")
    for number in range(2):
        expect(lines.nth(number)).to_contain_text("d = ")
    return lines.all_inner_texts()


def test_launch_watch_compare_scrub_reload(
    tab: Page,
    stack: Any,
    worker: subprocess.Popen[bytes],
    dataset_id: int,
    specification: dict[str, Any],
    environment: dict[str, str],
) -> None:
    if environment:
        pytest.skip("the pages are the same on both stacks: seen on the embedded one")
    first = stack.launch({**specification, "name": "the first"})

    tab.goto(f"{stack.url}/new")
    tab.get_by_role("link", name="S: from scratch").click()
    tab.locator("#f-model-backbone").select_option("resnet18")
    tab.locator("#f-model-norm").select_option("group")
    for field, value in FIELDS.items():
        tab.locator(field).fill(value)
    tab.get_by_role("button", name="Launch").click()

    expect(tab).to_have_url(re.compile(r"/runs/\d+$"), timeout=30_000)
    launched = int(tab.url.rsplit("/", 1)[1])
    tab.evaluate("window.neverReloaded = true")
    expect(tab.get_by_text("succeeded", exact=True).first).to_be_visible(timeout=PATIENCE)
    assert tab.evaluate("window.neverReloaded") is True
    assert stack.ended(first)["status"] == "succeeded"

    tab.goto(f"{stack.url}/compare?runs={first},{launched}")
    slider = tab.locator("#iteration")
    expect(slider).to_be_visible()
    slider.focus()
    slider.press("Home")
    expect(tab).to_have_url(re.compile(r"[?&]i=0(&|$)"))
    slider.press("End")
    expect(tab).to_have_url(re.compile(r"[?&]i=6(&|$)"))
    shown = readings(tab)
    view = tab.url
    tab.reload()
    expect(tab.locator("#iteration")).to_have_value(re.compile(r"\d+"))
    assert tab.url == view
    expect(tab.get_by_text("6 of 6")).to_be_visible()
    assert readings(tab) == shown
