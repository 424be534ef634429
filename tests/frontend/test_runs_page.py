"""The Runs page as the server writes it: the view in the address, the rows, and names that stay text."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from backend.settings import Settings
from eigenscope.server import build_app

HOSTILE = "<img src=x onerror=window.hacked=1><b>%{x}</b>"


def shown(page: str) -> list[int]:
    return [int(one) for one in re.findall(r'<tr id="run-(\d+)"', page)]


def headings(page: str) -> list[str]:
    return re.findall(r'data-key="([^"]*)" aria-sort', page)


def test_columns_are_those_of_the_address(client: TestClient, roles: dict[str, int]) -> None:
    usual = client.get("/").text
    assert headings(usual)[:3] == ["name", "status", "ap"]
    chosen = client.get("/", params={"c": ["training.lr", "loss:min", "ap50", "tags"]}).text
    assert headings(chosen) == ["name", "training.lr", "loss:min", "ap50", "tags"]
    assert "60.6" in chosen
    assert ">0.4<" in chosen
    assert headings(client.get("/?c=name").text) == ["name"], "no column but the name"


def test_links_keep_the_whole_view(client: TestClient, roles: dict[str, int]) -> None:
    query = {"text": "I", "f": ["ap>=0.3", "training.lr=0.01"], "c": ["ap", "loss:last"], "by": "status"}
    page = client.get("/", params=query | {"sort": "-loss:last"}).text
    links = {html.unescape(link) for link in re.findall(r'data-view href="([^"]*)"', page)}
    kept = "text=I&by=status"
    columns = "c=ap&c=loss:last"
    assert f"/?{kept}&sort=-ap&f=ap%3E%3D0.3&f=training.lr%3D0.01&{columns}" in links
    assert f"/?{kept}&sort=loss:last&f=ap%3E%3D0.3&f=training.lr%3D0.01&{columns}" in links
    assert f"/?{kept}&sort=-loss:last&f=ap%3E%3D0.3&{columns}" in links, "without the second filter"
    assert f"/?by=status&sort=-loss:last&{columns}" in links, "without any"
    assert "AP at least 0.3" in page
    assert "AP more than 30 %" in client.get("/", params={"f": "ap>30"}).text
    assert 'value="ap" data-unit="%"' in client.get("/columns").text
    file = html.unescape(re.findall(r'href="(/api/v1/runs\.csv[^"]*)"', page)[0])
    text = client.get(file).text
    assert text.splitlines()[0] == "id,name,tags,ap [0-1],loss:last"
    assert len(text.splitlines()) == len(shown(page)) + 1
    for link in links:
        assert client.get(link).status_code == 200, link


def test_groups_have_headings_with_counts_and_means(client: TestClient, roles: dict[str, int]) -> None:
    page = client.get("/", params={"by": "tags", "c": ["ap"], "f": "tags=demo"}).text
    assert re.findall(r'<tbody id="group-\d+" data-label="([^"]*)"', page) == ["demo", "I", "S"]
    assert "3 runs</small>" in page, "a classifier's top-1 and detectors' AP have no mean"
    detectors = client.get("/", params={"by": "model.architecture", "c": ["ap"], "f": "tags=demo"})
    assert "2 runs, mean AP 34.3 %" in detectors.text
    assert "± 4.4" in detectors.text
    places = re.findall(r'<tr id="(run-[\d-]+)"', page)
    assert len(places) == len(set(places)) == 5, "a run with two tags stands in both groups"
    by_seed = client.get("/", params={"by": "training.seed", "c": "status"}).text
    assert "training.seed 2" in by_seed


def test_a_browser_that_has_the_rows_gets_those_that_changed(
    client: TestClient, roles: dict[str, int]
) -> None:
    page = client.get("/", params={"only": f"{roles['I']},{roles['S']}"}).text
    assert shown(page) == shown(client.get("/").text)
    assert len(re.findall("data-same", page)) == len(shown(page)) - 2
    assert f'<tr id="run-{roles["I"]}" data-id="{roles["I"]}"' in page
    assert len(re.findall("data-same", client.get("/?only=").text)) == len(shown(page))
    assert client.get("/?only=x").status_code == 422


def test_a_view_that_there_is_not_says_so_on_the_page(client: TestClient, roles: dict[str, int]) -> None:
    page = client.get("/", params={"f": "<b>>3"})
    assert page.status_code == 422
    assert "there is no column &#39;&lt;b&#39;" in page.text
    assert 'id="filter"' in page.text
    assert "No run fits this filter" in client.get("/", params={"f": "ap>0.99"}).text
    assert "No run is archived" in client.get("/?archived=only").text


def test_names_tags_and_notes_stay_text(client: TestClient, roles: dict[str, int]) -> None:
    run = roles["hostile"]
    note = {"notes": '"><script>window.hacked=1</script>'}
    assert client.patch(f"/api/v1/runs/{run}", json=note).status_code == 200
    query = {"c": ["tags", "notes", "status"], "text": "onerror", "by": "name"}
    page = client.get("/", params=query).text
    assert html.escape(HOSTILE) in page
    assert "&lt;i&gt;tag&lt;/i&gt;" in page
    for dangerous in ("<img src=x", "<script>window", "<i>tag", "<b>%{"):
        assert dangerous not in page, dangerous
    assert client.patch(f"/api/v1/runs/{run}", json={"notes": ""}).status_code == 200


def test_the_chooser_lists_metrics_and_settings(client: TestClient, roles: dict[str, int]) -> None:
    part = client.get("/columns", params={"c": ["loss:min", "training.lr"]}).text
    assert re.findall(r'<li data-key="([^"]*)"', part) == ["loss:min", "training.lr"]
    checked = re.findall(r'value="([^"]*)" data-label="[^"]*"[^>]* checked', part)
    assert set(checked) == {"loss:min", "training.lr"}
    assert 'value="ap50:max"' in part
    assert 'value="optimiser"' in part or 'value="lr"' in part, "what recorded runs tell of"


def test_an_empty_database_shows_how_to_begin(settings_of_an_empty_database: Settings) -> None:
    with TestClient(build_app(settings_of_an_empty_database), base_url="http://127.0.0.1") as opened:
        page = opened.get("/").text
        assert "No runs yet" in page
        assert 'id="runs"' not in page


@pytest.mark.parametrize("archived", ["also", "only", "no"])
def test_the_controls_show_what_the_address_says(
    client: TestClient, roles: dict[str, int], archived: str
) -> None:
    page = client.get("/", params={"archived": archived, "status": "failed", "by": "training.momentum"}).text
    assert f'<option value="{archived}" selected>' in page
    assert "<option selected>failed</option>" in page
    assert '<option value="training.momentum" selected>' in page


def test_a_comparison_offers_no_archived_run_but_shows_one_that_is_named(
    client: TestClient, roles: dict[str, int], passing_run: Callable[..., int]
) -> None:
    run = passing_run(status="succeeded")
    offer = f'<option value="{run}">'
    assert offer in client.get("/compare", params={"runs": roles["I"]}).text
    passing_run(archived=True)
    assert offer not in client.get("/compare", params={"runs": roles["I"]}).text
    named = client.get("/compare", params={"runs": f"{roles['I']},{run}"})
    assert named.status_code == 200
    assert "Compare 2 runs" in named.text
    assert f'<a href="/runs/{run}">a passing run</a>' in named.text
