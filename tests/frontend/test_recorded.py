"""Runs that no worker trained: what the pages say of them, and what they leave out."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from backend.measurements import repository as measurements
from backend.measurements.records import LayerRow
from backend.models import Run
from frontend.explorer import counterpart
from frontend.figures.colours import PALETTES, colour_class, run_colour
from frontend.figures.runs import FigureRun, told_apart
from frontend.settings_table import compared_settings, comparison_warning, recorded_warning, stated_settings


def row(page: str, run: int) -> str:
    """Return a run's row of the table."""
    found = re.search(rf'<tr id="run-{run}".*?</tr>', page, re.DOTALL)
    assert found
    return found.group()


def told(settings: dict[str, Any], init: str = "unknown") -> dict[str, Any]:
    return {"init": {"kind": init}, "settings": settings}


def test_the_table_marks_recorded_runs_and_invents_nothing(client: TestClient, roles: dict[str, int]) -> None:
    page = client.get("/").text
    recorded, recording, launched = (row(page, roles[role]) for role in ("recorded", "recording", "I"))
    assert ">recorded</abbr>" in recorded
    assert 'data-origin="recorded"' in recorded
    assert 'class="badge grey-' in recorded
    assert ">?</abbr>" in recorded
    assert "<small>300</small>" in recorded, "nobody said of how many iterations"
    assert "<progress" not in recording, "nobody said of how many iterations"
    assert 'class="badge orange-' in recording
    assert "left" not in recording
    assert "recorded" not in launched


def test_the_run_page_says_that_the_run_is_recorded(client: TestClient, roles: dict[str, int]) -> None:
    page = client.get(f"/runs/{roles['recorded']}").text
    assert "Recorded from outside" in page
    assert 'id="log"' not in page
    assert "Checkpoints" not in page
    assert "Attempt" not in page
    assert "<dt>Dataset<" not in page
    assert "/new?from=" not in page
    assert re.findall(r'data-action="(\w+)"', page) == ["cancel", "archive", "delete"]
    settings = dict(re.findall(r"<dt>([\w.]+)</dt><dd>([^<]*)</dd>", page))
    assert {"init.kind": "unknown", "lr": "0.1", "augment": "yes", "batch": "128"}.items() <= settings.items()


def test_a_launched_run_keeps_its_log(client: TestClient, roles: dict[str, int]) -> None:
    page = client.get(f"/runs/{roles['I']}").text
    assert 'id="log"' in page
    assert "recorded" not in page


def test_charts_of_a_recorded_run_are_those_of_its_metrics(client: TestClient, roles: dict[str, int]) -> None:
    def charts(address: str) -> list[str]:
        return re.findall(
            r'data-figure="(losses|average_precision|learning_rate|metric)"', client.get(address).text
        )

    recorded, recording = roles["recorded"], roles["recording"]
    assert charts(f"/runs/{recorded}") == ["losses", "metric"]
    assert charts(f"/compare?runs={recorded},{recording}") == ["losses", "metric"]
    assert charts(f"/compare?runs={recorded},{roles['I']}") == ["average_precision", "losses"]
    assert charts(f"/runs/{roles['I']}") == ["losses", "average_precision", "learning_rate"]
    query = {"runs": f"{recorded},{recording}", "metric": "val/accuracy"}
    figure = client.get("/api/v1/figures/metric", params=query).json()
    assert [trace["name"] for trace in figure["data"]] == [
        "my ConvNet, from somewhere",
        "my ConvNet, from scratch",
    ]
    assert figure["data"][0]["line"]["color"] in PALETTES["light"].greys


def recorded(session: Session, init: str, *names: str) -> Run:
    """Add a recorded run with layers of these names."""
    run = Run(name=init, origin="recorded", specification=told({}, init), iterations=0)
    session.add(run)
    session.flush()
    measurements.write_layers(
        session, run.id, [LayerRow(k, name, "conv", "", 4) for k, name in enumerate(names)]
    )
    return run


def test_a_recorded_run_is_compared_with_one_of_the_same_layers(session: Session) -> None:
    mine = recorded(session, "scratch", "conv1", "conv2")
    same = recorded(session, "imagenet", "conv1", "conv2")
    recorded(session, "imagenet", "conv1", "other")
    recorded(session, "unknown", "conv1", "conv2")
    recorded(session, "scratch", "conv1", "conv2")
    assert counterpart(session, mine) == same.id
    same.archived = True
    session.flush()
    assert counterpart(session, mine) is None, "an archived run is offered nowhere"
    assert counterpart(session, recorded(session, "imagenet")) is None, "no layers are not the same layers"


def test_no_counterpart_is_guessed(client: TestClient, roles: dict[str, int]) -> None:
    assert "/compare?runs=" not in client.get(f"/runs/{roles['recorded']}").text, "who knows where it started"
    assert "/compare?runs=" not in client.get(f"/runs/{roles['recording']}").text, (
        "no other is known to be fine-tuned"
    )
    assert f"/compare?runs={roles['I']}," in client.get(f"/runs/{roles['I']}").text


def test_a_recorded_run_is_not_cloned(client: TestClient, roles: dict[str, int]) -> None:
    page = client.get(f"/new?from={roles['recorded']}")
    assert page.status_code == 409
    assert "is recorded from outside" in page.text
    assert "start from a preset" in page.text


def test_compare_says_that_settings_are_not_all_known(client: TestClient, roles: dict[str, int]) -> None:
    page = html.unescape(client.get(f"/compare?runs={roles['I']},{roles['recorded']}").text)
    assert "my ConvNet, from somewhere is recorded from outside: only the settings that were told" in page
    assert "These runs also differ" not in page, "a setting that was not told differs from nothing"
    assert "I − ?, in points of the width" in page
    assert "recorded from outside" not in client.get(f"/compare?runs={roles['I']},{roles['S']}").text


def test_cautions_follow_the_criterion_in_the_address(client: TestClient, roles: dict[str, int]) -> None:
    pages = (f"/runs/{roles['recorded']}?", f"/compare?runs={roles['recorded']},{roles['I']}&")
    for address in pages:
        page = html.unescape(client.get(address).text)
        assert "τ = 0.001 lies below float32's floor at features.conv1 (λ₁ = 2.1e5, iteration 1)" in page
        assert "saw fewer than 8 positions per channel" in page
        assert "positions are the proposals'" in page
        assert "lies below float32's floor" not in html.unescape(client.get(f"{address}c=relative").text)
        assert "lies below float32's floor" not in html.unescape(
            client.get(f"{address}c=absolute&t=0.1").text
        )


def test_dashes_of_runs_of_one_colour_stand_by_their_names(client: TestClient, roles: dict[str, int]) -> None:
    page = client.get(f"/compare?runs={roles['recorded']},{roles['I']}").text
    assert "<svg" not in page, "blue and grey need no dash"
    page = client.get(f"/compare?runs={roles['failed']},{roles['hostile']}").text
    blue = f"blue-{roles['failed'] % 4}"
    assert re.findall(r'<svg class="stroke ([^"]+)"', page) == [f"solid {blue}", f"dash {blue}"]


def test_runs_that_nobody_placed_are_grey_and_parted_by_dashes() -> None:
    assert colour_class(2, "unknown") == "grey-2"
    assert run_colour(2, "unknown", "dark") in PALETTES["dark"].greys
    greys = told_apart([FigureRun(k, "a", "unknown") for k in range(4)])
    assert len({run.dash for run in greys}) == 4
    for palette in PALETTES.values():
        families = (palette.blues, palette.oranges, palette.greys, palette.components, palette.ends)
        every = [colour for family in families for colour in family]
        assert len(set(every)) == len(every)


def test_settings_of_recorded_runs_stand_under_their_own_names() -> None:
    launched = {"name": "x", "tags": [], "init": {"kind": "scratch"}, "training": {"lr": 0.01}}
    own = told({"training.lr": 0.1, "init.kind": "a trap", "name": "mine"})
    assert stated_settings(own) == {"init.kind": "unknown", "training.lr": "0.1", "name": "mine"}
    rows = {row.name: row.settings for row in compared_settings([launched, own])}
    assert rows == {
        "init.kind": ("scratch", "unknown"),
        "training.lr": ("0.01", "0.1"),
        "name": ("–", "mine"),
    }


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"lr": 0.1}, {"lr": 0.1}, None),
        ({"lr": 0.1}, {"epochs": 3}, None),
        ({"lr": 0.1, "net": "a"}, {"lr": 0.2, "net": "b"}, "lr and net"),
        ({str(k): 0 for k in range(9)}, {str(k): 1 for k in range(9)}, "0, 1, 2, 3, 4 and 4 more settings"),
    ],
)
def test_recorded_runs_differ_in_what_both_told(
    first: dict[str, Any], second: dict[str, Any], expected: str | None
) -> None:
    warning = comparison_warning([told(first, "imagenet"), told(second, "scratch")])
    assert (warning is None) == (expected is None)
    if expected is not None and warning is not None:
        assert warning.startswith(f"These runs also differ in {expected}:")


def test_recorded_runs_are_named_or_counted() -> None:
    launched = {"init": {"kind": "scratch"}, "training": {}}
    assert recorded_warning([("a", launched)]) is None
    one = recorded_warning([("a", launched), ("b", told({}))])
    two = recorded_warning([("a", launched), ("b", told({})), ("c", told({}))])
    both = recorded_warning([("b", told({})), ("c", told({}))])
    starts = ["b is recorded", "2 of these runs are recorded", "These runs are recorded"]
    for warning, start in zip((one, two, both), starts, strict=True):
        assert warning is not None
        assert warning.startswith(start)
