"""The story and the settings on the Compare page."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.runs.specification import RunSpecification
from frontend.settings_table import (
    GROUPS,
    UNTOLD,
    by_part,
    compared_settings,
    comparison_caution,
    counted_words,
)


def story(client: TestClient, *runs: int, more: str = "") -> str:
    """Return the panel as text with its tags."""
    page = client.get(f"/compare?runs={','.join(map(str, runs))}{more}").text
    found = re.search(r'<details class="story".*?</details>', page, re.DOTALL)
    return found.group().replace("\u00a0", " ") if found else ""


def launched(**changes: Any) -> dict[str, Any]:
    return RunSpecification.model_validate({"dataset_id": 1, **changes}).model_dump(mode="json")


def test_the_panel_tells_of_the_pretrained_run_and_the_one_from_scratch(
    client: TestClient, roles: dict[str, int]
) -> None:
    panel = html.unescape(story(client, roles["S"], roles["I"]))
    assert "What these two runs show" in panel
    assert "Accuracy differs; spectra differ." in panel
    assert panel.count("<li>") == 6
    assert 'class="story-runs"' not in panel, "the page's other parts tell who I and S are"
    assert f'href="/compare?runs={roles["I"]},{roles["S"]}&layer=' in panel
    several = story(client, roles["S"], roles["I"], roles["running"])
    assert "What two of these runs show" in several
    assert "I: Faster R-CNN, ResNet-18 FPN</span>" in several
    assert "<b>run " not in several
    assert f"<b>run {roles['recorded']}</b>" in story(client, roles["recorded"], roles["recording"])


def test_the_panel_counts_as_the_page_does(client: TestClient, roles: dict[str, int]) -> None:
    pair = (roles["I"], roles["S"])
    usual = story(client, *pair)
    assert "with eigenvalues above 0.001" in usual
    assert "The paper counts" not in usual
    panel = html.unescape(story(client, *pair, more="&c=variance&t=0.5"))
    assert "as many as hold 50 % of the trace" in panel
    assert "The paper counts eigenvalues above 0.001 instead." in panel
    assert panel.count("&c=variance&t=0.5#chart-") == 5
    assert panel.count("&c=power_law#chart-dimension_by_depth") == 1
    numbers = r'finding-number"><b>([^<]*)'
    assert re.findall(numbers, panel)[1:4] != re.findall(numbers, usual)[1:4]
    assert re.findall(numbers, panel)[0] == re.findall(numbers, usual)[0], (
        "accuracy is no matter of a criterion"
    )


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("&c=power_law", "A slope counts no dimensions, so that shares here are by the paper's criterion."),
        ("&c=variance&t=7", "The threshold is out of range, so that shares here are by the paper's"),
        ("&t=low", "The threshold is out of range"),
    ],
)
def test_where_the_page_counts_nothing_the_papers_criterion_is_said(
    client: TestClient, roles: dict[str, int], more: str, why: str
) -> None:
    panel = html.unescape(story(client, roles["I"], roles["S"], more=more))
    assert why in panel
    assert "with eigenvalues above 0.001" in panel
    assert "&c=absolute#chart-" in panel


def test_every_link_leads_to_a_figure_of_the_page_it_opens(client: TestClient, roles: dict[str, int]) -> None:
    for pair in (
        ("I", "S"),
        ("pretraining", "I"),
        ("recorded", "recording"),
        ("I", "running"),
        ("S", "failed"),
    ):
        panel = html.unescape(story(client, *(roles[role] for role in pair)))
        links = re.findall(r'href="([^"]+)"', panel)
        assert links
        for link in links:
            address, _, anchor = link.partition("#")
            answer = client.get(address)
            assert answer.status_code == 200, link
            assert not anchor or f'id="{anchor}"' in answer.text, link


@pytest.mark.parametrize(
    "pair",
    [("I", "queued"), ("recorded", "I"), ("hostile", "I"), ("hostile", "recorded"), ("queued", "queued")],
)
def test_every_pair_gives_a_page(client: TestClient, roles: dict[str, int], pair: tuple[str, str]) -> None:
    answer = client.get(f"/compare?runs={roles[pair[0]]},{roles[pair[1]]}")
    assert answer.status_code == 200
    assert ('<details class="story"' in answer.text) == (pair[0] != pair[1]), "one run has nobody beside it"
    assert "<img src=x" not in answer.text
    assert "<script>window" not in answer.text


def test_the_panel_is_folded_by_the_address(client: TestClient, roles: dict[str, int]) -> None:
    assert re.search(r'<details class="story"[^>]* open>', story(client, roles["I"], roles["S"]))
    assert not re.search(
        r'<details class="story"[^>]* open>', story(client, roles["I"], roles["S"], more="&story=0")
    )


def test_the_api_says_what_the_page_says(client: TestClient, roles: dict[str, int]) -> None:
    facts = client.get(f"/api/v1/comparisons?runs={roles['I']},{roles['S']}").json()
    panel = html.unescape(story(client, roles["I"], roles["S"]))
    assert f"{100 * facts['accuracy']['first']:.1f} for I" in panel
    assert f"I uses {100 * facts['spectra']['first']['start']:.0f} %" in panel
    assert f"slope {facts['slopes']['second']:.2f} against {facts['slopes']['first']:.2f}" in panel


def test_identical_settings_are_shown_by_the_address(client: TestClient, roles: dict[str, int]) -> None:
    address = f"/compare?runs={roles['I']},{roles['S']}"
    assert re.search(r'id="hide-identical"[^>]* checked>', client.get(address).text)
    assert not re.search(r'id="hide-identical"[^>]* checked>', client.get(f"{address}&same=1").text)
    assert "shapes (1)" in client.get(address).text, "data by its name"


def test_settings_stand_in_their_parts() -> None:
    rows = compared_settings(
        [launched(), {"init": {"kind": "scratch"}, "settings": {"lr": 1, "training.lr": 2}}]
    )
    groups = {group.title: [row.name for row in group.rows] for group in by_part(rows)}
    assert list(groups) == [*GROUPS.values(), "Evaluation and checkpoints", "Told by the recorder"]
    assert "training.lr" in groups["Training"]
    assert groups["Told by the recorder"] == ["lr"]
    assert "evaluate_every" in groups["Evaluation and checkpoints"]
    assert sum(map(len, groups.values())) == len(rows)


def test_what_was_not_told_differs_from_nothing_and_is_said_not_to_be() -> None:
    rows = compared_settings([launched(), {"init": {"kind": "scratch"}, "settings": {"training.lr": 0.5}}])
    by_name = {row.name: row for row in rows}
    assert by_name["training.seed"].settings == ("0", UNTOLD)
    assert by_name["training.seed"].state == "partial"
    assert by_name["training.lr"].state == "differs"
    assert by_name["training.lr"].cells == [("0.005", False), ("0.5", True)]
    assert by_name["init.kind"].state == "same"
    partial = sum(row.state == "partial" for row in rows)
    assert counted_words(rows) == f"1 differs, 1 the same, {partial} told by some of the runs only"


def test_cells_are_marked_where_they_are_not_as_the_first() -> None:
    rows = compared_settings([launched(training={"seed": seed}) for seed in (1, 2, 1)])
    (row,) = [row for row in rows if row.differs]
    assert row.cells == [("1", False), ("2", True), ("1", False)]
    assert row.decisive


def test_the_warning_unfolds_to_what_each_run_has() -> None:
    found = comparison_caution(
        [
            launched(model={"norm": "batch"}),
            launched(
                model={"norm": "frozen_batch"}, training={"trainable_stages": 3}, init={"kind": "imagenet"}
            ),
        ]
    )
    assert found
    assert found.sentence.startswith("These runs also differ in norm and trainable stages:")
    assert found.details == ("model.norm: batch · frozen_batch", "training.trainable_stages: 5 · 3")
    assert comparison_caution([launched(), launched()]) is None
