"""The page of a dataset, over HTTP and in headless Chromium."""

from __future__ import annotations

import csv
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

from backend.database import Database
from backend.datasets import registration, service
from backend.settings import Settings

HOSTILE = "<img src=x onerror=window.hacked=1>"
WIDTH, HEIGHT = 320, 200
FIGURES = ("object_sizes", "objects_per_image", "image_sizes", "category_counts")


def content(split: str) -> dict[str, Any]:
    images = [
        {"id": k, "file_name": f"{split}_{k}.png", "width": WIDTH, "height": HEIGHT} for k in range(1, 5)
    ]
    annotations = [
        {"id": 10 * k + j, "image_id": k, "category_id": 1 + j % 2, "bbox": [20 * j, 10 * j, 150, 90]}
        for k in range(1, 4)
        for j in range(3)
    ]
    annotations.append({"id": 99, "image_id": 1, "category_id": 1, "bbox": [0, 0, 5, 0]})
    categories = [{"id": 1, "name": HOSTILE}, {"id": 2, "name": "cell"}]
    return {"images": images, "annotations": annotations, "categories": categories}


@pytest.fixture(scope="module")
def datasets(
    seeded: tuple[Settings, dict[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, int]]:
    """Yield the ids of datasets with files: one with hostile names, one of class folders; `old` has none."""
    settings, root = seeded[0], tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        written = content(split)
        (root / f"{split}.json").write_text(json.dumps(written))
        for image in written["images"]:
            pixels = rng.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
            PIL.Image.fromarray(pixels).save(root / image["file_name"])
        for name in ("mitosis", "resting"):
            folder = root / "sorted" / split / name
            folder.mkdir(parents=True)
            PIL.Image.fromarray(pixels).save(folder / "1.png")
    database = Database(settings.database)
    files = (root / "train.json", root / "val.json", root)
    found = {"hostile": registration.register_coco(database, HOSTILE, *files).id}
    sorted_ = (root / "sorted" / "train", root / "sorted" / "val")
    found["folders"] = registration.register_folders(database, settings, "sorted", *sorted_).id
    yield {**found, "old": 1}
    with database.writing() as session:
        for dataset_id in found.values():
            service.delete(session, settings, dataset_id)
    database.dispose()


def test_it_tells_the_numbers_and_escapes_every_name(client: TestClient, datasets: dict[str, int]) -> None:
    page = client.get(f"/datasets/{datasets['hostile']}").text
    assert "left out 1 box of zero width or height (annotation 99)" in page
    assert re.search(r"Training</th><td class=\"number\">4</td>\s*<td class=\"number\">9</td>", page)
    assert "2.2 <small>at most 3</small>" in page
    assert html.escape(HOSTILE) in page
    assert HOSTILE not in page
    assert page.count("<rect ") == 2 * 9
    for figure in FIGURES:
        assert f'data-figure="{figure}"' in page


def test_it_needs_no_inline_script_or_style(client: TestClient, datasets: dict[str, int]) -> None:
    for dataset_id in datasets.values():
        page = client.get(f"/datasets/{dataset_id}").text
        assert not re.search(r"<script(?![^>]*src=)", page)
        assert not re.search(r"\son\w+=", page.replace(html.escape(HOSTILE[:20]), ""))
        assert " style=" not in page


def test_a_dataset_of_before_says_how_to_get_its_statistics(
    client: TestClient, datasets: dict[str, int]
) -> None:
    page = client.get(f"/datasets/{datasets['old']}").text
    assert f"<code>eigenscope datasets check {datasets['old']}</code>" in page
    assert "<figure" not in page
    answer = client.get(f"/api/v1/datasets/{datasets['old']}/figures/object_sizes")
    assert answer.status_code == 404
    assert f"`eigenscope datasets check {datasets['old']}` adds them" in answer.json()["detail"]


def test_class_folders_show_no_boxes(client: TestClient, datasets: dict[str, int]) -> None:
    page = client.get(f"/datasets/{datasets['folders']}").text
    assert "class folders" in page
    assert "<rect" not in page
    assert "Per image" not in page
    assert re.findall(r'data-figure="(\w+)"', page) == ["image_sizes", "category_counts"]
    assert "mitosis" in page


@pytest.mark.parametrize("name", FIGURES)
def test_its_figures_are_served_in_both_themes(
    client: TestClient, datasets: dict[str, int], name: str
) -> None:
    for theme in ("light", "dark"):
        answer = client.get(f"/api/v1/datasets/{datasets['hostile']}/figures/{name}?theme={theme}")
        assert answer.status_code == 200
        assert [trace["name"] for trace in answer.json()["data"]] == ["training", "validation"]
    assert client.get(f"/api/v1/datasets/{datasets['hostile']}/figures/none").status_code == 422


def test_an_unknown_dataset_is_a_page_that_says_so(client: TestClient) -> None:
    answer = client.get("/datasets/777")
    assert answer.status_code == 404
    assert "here is no dataset 777" in answer.text


def test_system_and_runs_lead_to_it_and_it_leads_to_a_new_run(
    client: TestClient, datasets: dict[str, int], roles: dict[str, int]
) -> None:
    hostile = datasets["hostile"]
    assert f'<a href="/datasets/{hostile}">' in client.get("/system").text
    assert '<a href="/datasets/1">' in client.get(f"/runs/{roles['I']}").text
    assert f'href="/new?dataset_id={hostile}"' in client.get(f"/datasets/{hostile}").text
    assert f'<option value="{hostile}" selected>' in client.get(f"/new?dataset_id={hostile}").text


@pytest.mark.browser
def test_charts_and_boxes_are_drawn_and_names_run_nothing(
    tab: Page, server: str, datasets: dict[str, int]
) -> None:
    tab.goto(f"{server}/datasets/{datasets['hostile']}")
    for figure in FIGURES:
        expect(tab.locator(f"figure[data-figure={figure}] .main-svg").first).to_be_visible()
    expect(tab.locator("figure[data-figure=object_sizes] .bars .point")).not_to_have_count(0)
    frame = tab.locator(".frame").first
    frame.scroll_into_view_if_needed()
    loaded = (
        "document.querySelector('.frame img').complete && document.querySelector('.frame img').naturalWidth"
    )
    tab.wait_for_function(loaded)
    assert tab.evaluate(loaded) == WIDTH
    image, svg = (tab.locator(f".frame {part}").first.bounding_box() for part in ("img", "svg"))
    assert image == svg, "boxes lie over the image"
    assert tab.evaluate("window.hacked") is None


@pytest.mark.browser
def test_a_box_lies_where_its_pixels_are(tab: Page, server: str, datasets: dict[str, int]) -> None:
    tab.goto(f"{server}/datasets/{datasets['hostile']}")
    frame, box = tab.locator(".frame").first, tab.locator(".frame rect").first
    area, drawn = frame.bounding_box(), box.bounding_box()
    assert area
    assert drawn
    scale = min(area["width"] / WIDTH, area["height"] / HEIGHT)
    left = area["x"] + (area["width"] - scale * WIDTH) / 2
    top = area["y"] + (area["height"] - scale * HEIGHT) / 2
    x, y, width, height = (float(box.get_attribute(name) or "nan") for name in ("x", "y", "width", "height"))
    expected = (left + scale * x, top + scale * y, scale * width, scale * height)
    assert (drawn["x"], drawn["y"], drawn["width"], drawn["height"]) == pytest.approx(expected, abs=2)


@pytest.mark.browser
def test_a_sample_grows_by_mouse_and_keyboard_and_shrinks_again(
    tab: Page, server: str, datasets: dict[str, int]
) -> None:
    tab.goto(f"{server}/datasets/{datasets['hostile']}")
    frame = tab.locator(".frame").nth(1)
    small = frame.bounding_box()
    frame.click()
    expect(frame.locator("input")).to_be_checked()
    large = frame.bounding_box()
    assert small
    assert large
    assert large["width"] > 2 * small["width"]
    frame.locator("input").focus()
    tab.keyboard.press("Space")
    expect(frame.locator("input")).not_to_be_checked()


@pytest.mark.browser
def test_the_table_of_a_chart_has_each_bin_once(
    tab: Page, server: str, datasets: dict[str, int], tmp_path: Path
) -> None:
    tab.goto(f"{server}/datasets/{datasets['hostile']}")
    chart = tab.locator("figure[data-figure=category_counts]")
    expect(chart.locator(".bars .point")).not_to_have_count(0)
    chart.locator("summary").click()
    with tab.expect_download() as download:
        chart.locator("[data-save=csv]").click()
    assert (
        download.value.suggested_filename == f"eigenscope-category_counts-dataset-{datasets['hostile']}.csv"
    )
    download.value.save_as(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["trace", "x", "y"],
        ["training", HOSTILE, "6"],
        ["training", "cell", "3"],
        ["validation", HOSTILE, "6"],
        ["validation", "cell", "3"],
    ]


@pytest.mark.browser
@pytest.mark.parametrize("which", ["hostile", "folders", "old"])
def test_it_does_not_scroll_sideways_on_a_telephone(
    tab: Page, server: str, datasets: dict[str, int], which: str
) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(f"{server}/datasets/{datasets[which]}", wait_until="domcontentloaded")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
