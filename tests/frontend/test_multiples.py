"""Several layers beside each other as one figure: which layers, on which axes, and how the page saves it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

from eigenscope.client.figures import as_figure
from frontend.layer_choice import layers_of

NAMES = ["a", "b", "b,2", "c..d", "~e", "f"]


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("f,a", ["a", "f"]),
        ("b..~e", NAMES[1:5]),
        ("b%2C2,c%2E%2Ed", ["b,2", "c..d"]),
        ("%7Ee,a..nothing", ["~e"]),
        ("", []),
    ],
)
def test_layers_are_listed_as_an_address_has_them(text: str, chosen: list[str]) -> None:
    assert layers_of(NAMES, text) == chosen


def drawn(client: TestClient, roles: dict[str, int], who: tuple[str, ...] = ("I", "S"), **query: Any) -> Any:
    runs = ",".join(str(roles[role]) for role in who)
    answer = client.get("/api/v1/figures/multiples", params={"runs": runs, **query})
    assert answer.status_code == 200, answer.text
    return as_figure(answer.json())


def curves(figure: Any) -> dict[tuple[str, int], Any]:
    names = figure.layout.meta["layers"]
    return {(names[t.meta["layer"]], t.meta["run"]): t for t in figure.data if t.meta.get("part") == "curve"}


def test_every_layer_and_run_is_drawn_with_all_its_eigenvalues(
    client: TestClient, roles: dict[str, int]
) -> None:
    figure = drawn(client, roles, layers="layer3.0..layer4.0", iteration=700)
    assert figure.layout.meta["layers"] == [
        "layer3.0",
        "layer3.1.act1",
        "layer3.1",
        "layer4.0.act1",
        "layer4.0",
    ]
    found = curves(figure)
    assert len(found) == 10
    for (layer, run), trace in found.items():
        one = client.get(f"/api/v1/runs/{run}/spectra", params={"layer": layer}).json()
        stored = one["eigenvalues"][one["iterations"].index(600)]
        np.testing.assert_allclose(trace.y, stored, rtol=1e-6)
        assert trace.meta["iteration"] == 600


def test_all_panels_share_their_axes_and_a_run_stands_in_the_legend_once(
    client: TestClient, roles: dict[str, int]
) -> None:
    figure = drawn(client, roles, layers="stem.act1,layer4.1")
    layout = figure.layout
    assert layout.xaxis.range == layout.xaxis2.range
    assert layout.yaxis.range == layout.yaxis2.range
    assert layout.xaxis.domain[1] < layout.xaxis2.domain[0]
    assert 10 ** layout.xaxis.range[1] > 512
    assert len([trace for trace in figure.data if trace.showlegend]) == 2


def test_dimensionalities_are_compared_by_shares_of_the_width(
    client: TestClient, roles: dict[str, int]
) -> None:
    figure = drawn(client, roles, layers="stem.act1,layer4.1", show="dimension")
    assert figure.layout.yaxis.range[1] == pytest.approx(1.04 * 64)
    assert figure.layout.yaxis2.range[1] == pytest.approx(1.04 * 512)
    answer = client.get(f"/api/v1/runs/{roles['S']}/dimensions").json()
    (course,) = [t for t in figure.data if t.meta["layer"] == 1 and t.meta["run"] == roles["S"]]
    np.testing.assert_allclose(course.y, answer["values"][answer["layers"].index("layer4.1")])


def test_runs_of_one_tag_are_drawn_as_their_mean(client: TestClient, roles: dict[str, int]) -> None:
    figure = drawn(client, roles, ("I", "pretraining", "S"), layers="layer4.1", band="demo")
    bands = [t for t in figure.data if t.meta.get("part") == "curve" and t.meta["run"] is None]
    assert bands
    assert figure.layout.annotations[0].text == "<b>layer4.1</b>"


def test_without_layers_the_outputs_of_the_blocks_are_shown(
    client: TestClient, roles: dict[str, int]
) -> None:
    assert drawn(client, roles).layout.meta["layers"] == [
        f"layer{k}.{j}" for k in (1, 2, 3, 4) for j in (0, 1)
    ]


def test_what_is_no_layer_and_what_is_too_much_is_refused(
    client: TestClient, roles: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("frontend.builders.multiples.LAYERS_AT_MOST", 3)
    for layers, reason in (
        ("nothing", "names no layer of these runs"),
        ("layer1.0..layer4.0", "choose at most 3"),
    ):
        answer = client.get("/api/v1/figures/multiples", params={"runs": roles["I"], "layers": layers})
        assert answer.status_code == 422
        assert reason in answer.json()["detail"]


def saved(page: Page, kind: str, where: Path) -> Path:
    with page.expect_download() as download:
        page.locator("#multiples .menu summary").click()
        page.locator(f"#multiples [data-save={kind}]").click()
    file = where / download.value.suggested_filename
    download.value.save_as(file)
    return file


@pytest.mark.browser
def test_the_page_saves_all_layers_not_only_those_in_sight(
    tab: Page, server: str, roles: dict[str, int], tmp_path: Path
) -> None:
    tab.goto(
        f"{server}/compare?runs={roles['I']},{roles['S']}&layer=layer4.1&layers=stem.act1..layer4.1&i=600"
    )
    expect(tab.locator(".small-chart")).to_have_count(17)
    with saved(tab, "csv", tmp_path).open(newline="") as file:
        rows = list(csv.DictReader(file))
    widths = 64 + 4 * (64 + 128 + 256 + 512)
    assert len(rows) == 2 * widths
    last = [row for row in rows if row["layer"] == "layer4.1" and row["run"] == str(roles["S"])]
    assert {row["iteration"] for row in last} == {"600"}
    stored = tab.request.get(f"{server}/api/v1/runs/{roles['S']}/spectra?layer=layer4.1").json()
    wanted = stored["eigenvalues"][stored["iterations"].index(600)]
    assert [float(row["eigenvalue"]) for row in last] == pytest.approx(wanted, rel=1e-6)
    assert saved(tab, "png", tmp_path).read_bytes()[:4] == b"\x89PNG"
    drawing = saved(tab, "svg", tmp_path).read_text()
    assert all(name in drawing for name in ("stem.act1", "layer4.1", "Eigenspectra of 17 layers"))
    tab.locator("#many input[value=dimension]").check(force=True)
    with saved(tab, "csv", tmp_path).open(newline="") as file:
        assert next(csv.reader(file)) == ["layer", "run", "name", "iteration", "dimensionality", "width"]


@pytest.mark.browser
def test_the_grid_is_linked_to_and_fills_the_screen(tab: Page, server: str, roles: dict[str, int]) -> None:
    tab.goto(f"{server}/runs/{roles['I']}?layers=layer3.0..layer4.1#multiples")
    expect(tab.locator(".small-chart")).to_have_count(7)
    expect(tab.locator("#multiples")).to_be_in_viewport()
    tab.locator("#multiples [data-full]").click()
    expect(tab.locator("dialog#full #multiples")).to_be_visible()
    tab.keyboard.press("Escape")
    expect(tab.locator("main #multiples")).to_be_visible()
    tab.locator("#multiples .menu summary").click()
    tab.locator("#multiples [data-save=link]").click()
    expect(tab.locator("body")).to_contain_text("ink copied")
