"""The run page's images: what is there and what was found, the score from which, and the evaluation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

from backend.database import Database
from backend.datasets import registration
from backend.datasets.coco import read_coco
from backend.datasets.shapes import ShapesParameters
from backend.measurements import repository
from backend.measurements.records import PredictionRow
from backend.models import Dataset, Run
from backend.settings import Settings

OUTLINES = [[10, 10, 40, 10, 40, 50, 10, 50], [20, 20, 30, 20, 30, 30]]


def rows(images: list[int], best: float, masks: bool) -> list[PredictionRow]:
    """Return two true objects and three found ones for each image, with scores `best`, 0.5 and 0.2 times it."""
    outlined = {"outlines": OUTLINES} if masks else {}
    there = [
        {"bbox": [10, 10, 30, 40], "category_id": 1} | outlined,
        {"bbox": [5, 5, 9, 9], "category_id": 2},
    ]
    found = [there[0] | {"score": round(best * share, 4)} for share in (1, 0.5, 0.2)]
    return [
        PredictionRow(
            image,
            {
                "file_name": f"deep/{image}.png",
                "width": 64,
                "height": 64,
                "objects": 130,
                "truth": there,
                "found": found,
            },
        )
        for image in images
    ]


@pytest.fixture
def pictured(
    seeded: tuple[Settings, dict[str, int]], passing_run: Callable[..., int]
) -> Iterator[Callable[..., int]]:
    """Yield a function that gives a run predictions of one evaluation, on a dataset with real images."""
    settings = seeded[0]
    database = Database(settings.database)
    dataset = registration.register_shapes(
        database, settings, "pictured", ShapesParameters(train=2, val=3, size=64, seed=1)
    )
    images = [image.id for image in read_coco(Path(dataset.val)).images]

    def evaluated(iteration: int, best: float, masks: bool = True) -> int:
        run = passing_run(dataset_id=dataset.id, status="succeeded", mask_ap=0.25, ap=0.5)
        with database.writing() as session:
            repository.write_predictions(session, run, iteration, rows(images, best, masks))
            repository.write_metrics(session, run, [(1, "data_wait", 0.5), (2, "data_wait", 0.1)])
        passing_run(iteration=iteration)
        return run

    yield evaluated
    with database.writing() as session:
        for run in session.query(Run).filter_by(dataset_id=dataset.id):
            session.delete(run)
        session.flush()
        session.delete(session.get_one(Dataset, dataset.id))
    database.dispose()


def open_run(tab: Page, server: str, run: int) -> Any:
    tab.goto(f"{server}/runs/{run}")
    section = tab.locator("#predictions")
    expect(section).to_be_visible()
    section.scroll_into_view_if_needed()
    return section


@pytest.mark.browser
def test_images_are_shown_with_what_is_there_and_what_was_found(
    tab: Page, server: str, pictured: Callable[..., int]
) -> None:
    section = open_run(tab, server, pictured(10, 0.9))
    expect(section.locator("figure")).to_have_count(3)
    first = section.locator("figure").first
    expect(first.locator("figcaption")).to_have_text(re.compile(r"^\d+\.png130 there \(2 shown\), 2 found$"))
    tab.wait_for_function("document.querySelector('.picture img').naturalWidth === 64")
    picture, drawn = first.locator("img").bounding_box(), first.locator("svg").bounding_box()
    assert picture
    assert drawn
    assert (drawn["x"], drawn["width"]) == pytest.approx((picture["x"], picture["width"]), abs=1)
    assert first.locator(".there").count() == 2
    # One with a hole, drawn twice: a rim, and over it the outline.
    assert (
        first.locator(".there path:not(.rim)").get_attribute("d")
        == "M10 10 40 10 40 50 10 50ZM20 20 30 20 30 30Z"
    )
    assert first.locator(".there rect:not(.rim)").count() == 1


@pytest.mark.browser
def test_the_score_the_shape_and_the_pointer(tab: Page, server: str, pictured: Callable[..., int]) -> None:
    section = open_run(tab, server, pictured(10, 0.9))
    first = section.locator("figure").first
    words = first.locator("figcaption span").last
    score = section.locator("#predictions-score")
    score.fill("0.1")
    expect(first.locator(".found")).to_have_count(3)
    score.fill("0.95")
    expect(first.locator(".found")).to_have_count(0)
    expect(words).to_have_text("130 there (2 shown), 0 found, the best 0.90")
    expect(section.locator("#predictions-score-text")).to_have_text("0.95")
    score.fill("0.6")
    first.locator(".found path:not(.rim)").hover(position={"x": 10, "y": 150}, force=True)
    expect(words).to_have_text(re.compile(r"^\w+ 0\.90$"))
    tab.mouse.move(0, 0)
    expect(words).to_have_text("130 there (2 shown), 1 found")
    section.get_by_text("Boxes").click()
    assert first.locator("path").count() == 0
    assert first.locator(".found rect:not(.rim)").get_attribute("width") == "30"


@pytest.mark.browser
def test_evaluations_are_chosen_and_new_ones_appear(
    tab: Page, server: str, pictured: Callable[..., int]
) -> None:
    run = pictured(10, 0.9)
    pictured(20, 0.5)
    section = open_run(tab, server, run)
    chosen = section.locator("#predictions-iteration")
    expect(chosen).to_have_value("20")
    expect(section.locator("figure").first).to_contain_text("1 found")
    chosen.select_option("10")
    expect(section.locator("figure").first).to_contain_text("2 found")
    pictured(30, 0.1)
    expect(chosen.locator("option")).to_have_text(["10", "20", "30"], timeout=10_000)
    expect(chosen).to_have_value("10")
    chosen.select_option("30")
    expect(section.locator("figure").first).to_contain_text("3 found")
    note = section.locator("#predictions-note")
    expect(note).to_have_text("No score reaches 0.30; shown from 0.00, the best is 0.10.")
    pictured(40, 0.9)
    expect(chosen).to_have_value("40", timeout=10_000)
    expect(note).to_be_hidden()
    expect(section.locator("figure")).to_have_count(3)


@pytest.mark.browser
def test_without_masks_there_is_no_choice_of_shape_and_without_predictions_no_section(
    tab: Page, server: str, roles: dict[str, int], pictured: Callable[..., int]
) -> None:
    section = open_run(tab, server, pictured(10, 0.9, masks=False))
    expect(section.locator("#predictions-shape")).to_be_hidden()
    assert section.locator("figure .found rect:not(.rim)").count() == 6
    with tab.expect_response(re.compile("/predictions$")):
        tab.goto(f"{server}/runs/{roles['I']}")
    expect(tab.locator("#predictions")).to_be_hidden()


def test_pages_tell_mask_ap_and_the_share_of_waiting(
    client: TestClient, roles: dict[str, int], pictured: Callable[..., int]
) -> None:
    assert "Mask AP" not in client.get("/").text
    run = pictured(10, 0.9)
    listed = client.get("/").text
    assert "Mask AP" in listed
    assert re.search(r"<td class=\"number[^>]*>\s*25\.0\s*</td>", listed)
    shown = client.get(f"/runs/{run}").text
    assert re.search(r"Mask AP</dt><dd>25.0</dd>", shown)
    assert re.search(r"Waiting for data</dt><dd>30 %</dd>", shown)
    other = client.get(f"/runs/{roles['I']}").text
    assert "Mask AP" not in other
    assert "Waiting for data" not in other
