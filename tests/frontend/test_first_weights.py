"""What a run's first weights give: near their choice in the form, and on the run's page."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

from backend.runs.start import StagePart, StartReport
from backend.weights.report import WeightsReport

HOSTILE = "<img src=x onerror=window.hacked=1>"


def started(**weights: object) -> dict[str, object]:
    told = {
        "file": f"weights/{HOSTILE}.pth",
        "naming": "torchvision",
        "used": 1318,
        "missing": ["fc.weight", HOSTILE],
        "missing_count": 2,
        "left_over": ["a"] * 3,
        "left_over_count": 1203,
        "notes": [f"A note on {HOSTILE}."],
    }
    parts = [("stem", 9536, False), ("layer4", 14_964_736, True), ("fpn", 3_344_384, True)]
    return StartReport(
        init="file",
        weights=WeightsReport.model_validate(told | weights),
        parts=[StagePart(name=name, parameters=count, trains=trains) for name, count, trains in parts],
    ).model_dump(mode="json")


def test_a_runs_page_shows_how_it_began(client: TestClient, passing_run: Callable[..., int]) -> None:
    run = passing_run()
    assert re.search(r'id="start"[^>]*hidden', client.get(f"/runs/{run}").text)
    page = client.get(f"/runs/{passing_run(start=started())}").text
    section = page[page.index('id="start"') :]
    section = section[: section.index("</section>")]
    words = re.sub(r"\s+", " ", html.unescape(re.sub("<[^>]+>", " ", section)))
    assert "1,318 tensors taken from" in words
    assert "2 drawn at random" in words
    assert "1,203 left over" in words
    assert "and 1,200 more" in words
    assert "18.3 M parameters train, 9.54 k are frozen" in words
    assert re.search("stem 9.54 k frozen layer4 15.0 M fpn", words)
    assert HOSTILE not in section
    assert html.escape(HOSTILE) in section


def test_a_run_from_scratch_says_so(client: TestClient, passing_run: Callable[..., int]) -> None:
    run = passing_run(start=started() | {"weights": None})
    assert "All drawn at random." in client.get(f"/runs/{run}").text


@pytest.mark.browser
def test_the_form_tells_what_will_be_taken(server: str, tab: Page, roles: dict[str, int]) -> None:
    tab.goto(f"{server}/new?preset=I")
    report = tab.locator("#weights-report")
    expect(report).to_contain_text(re.compile(r"318 tensors will be taken from resnet50-\w+.pth"))
    lists = report.locator("summary")
    expect(lists).to_have_text(["30 drawn at random", "2 left over"])
    expect(report.locator("li", has_text="fc.bias")).not_to_be_visible()
    lists.nth(1).click()
    expect(report.locator("li", has_text="fc.bias")).to_be_visible()
    tab.fill("#f-training-seed", "5")
    expect(tab.locator("#cost-iterations")).not_to_have_text("–")
    expect(report.locator("li", has_text="fc.bias")).to_be_visible()
    tab.check("[name=init-kind][value=scratch]", force=True)
    expect(report).to_be_hidden()
    tab.check("[name=init-kind][value=run]", force=True)
    iterations = tab.locator("#f-init-iteration option:not([hidden])")
    expect(iterations).to_have_text(["its last", "1,200"])
    # The seeded run has no file on the disk: what the trainer would refuse is refused here.
    expect(tab.locator("[data-path='init.run_id'] .field-error")).to_contain_text("is gone from the disk")
    expect(report).to_be_hidden()
