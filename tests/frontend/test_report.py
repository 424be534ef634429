"""A report's file: what it holds, what it keeps out, and that it moves as the server would draw."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from plotly.offline import get_plotlyjs
from sqlalchemy.orm import Session

from backend.database import Database
from backend.errors import InvalidInput, NotFound
from backend.models import Run
from backend.settings import Settings
from frontend.figure_catalogue import figure
from frontend.report import drawing
from frontend.report.contents import Panel, panels
from frontend.report.cursor import Cursor
from frontend.report.document import report
from frontend.report.motion import moves
from frontend.report.move import kept_snapshots
from frontend.report.packing import Store, differences, shortened
from frontend.report.request import ReportRequest

MADE = datetime(2026, 3, 5, 14, 7, tzinfo=UTC)


@pytest.fixture
def session(seeded: tuple[Settings, dict[str, int]]) -> Iterator[Session]:
    """Yield a session that reads the seeded database."""
    database = Database(seeded[0].database)
    with database.reading() as opened:
        yield opened
    database.dispose()


@pytest.fixture
def both(roles: dict[str, int]) -> ReportRequest:
    return ReportRequest((roles["I"], roles["S"]))


def bytes_of(page: str, name: str) -> bytes:
    found = re.search(rf'id="{name}">([A-Za-z0-9+/=]+)</script>', page)
    assert found is not None
    return gzip.decompress(base64.b64decode(found[1]))


def unpacked(page: str, name: str) -> str:
    return bytes_of(page, name).decode()


def rows(packed: dict[str, Any], store: bytes) -> np.ndarray:
    kind, count = np.dtype(f"<{packed['dtype']}"), int(np.prod(packed["shape"]))
    planes = np.frombuffer(store, np.uint8, count * kind.itemsize, packed["at"])
    whole = np.ascontiguousarray(planes.reshape(kind.itemsize, count).T)
    return whole.view(kind).reshape(packed["shape"])


def test_a_report_holds_plotly_once_and_asks_for_nothing(session: Session, both: ReportRequest) -> None:
    page = report(session, both, MADE).decode()
    assert unpacked(page, "plotly") == get_plotlyjs()
    assert page.count("<script") == 4
    assert not re.search(r"""src\s*=|href\s*=(?!"#)|url\(|@import|<link|<img|<iframe""", page)
    assert len(page) < 2.3e6
    assert "2026-03-05 14:07 UTC" in page


def test_it_shows_what_the_pages_show(session: Session, both: ReportRequest, roles: dict[str, int]) -> None:
    runs = [session.get_one(Run, run_id) for run_id in both.runs]
    names = [panel.figure for panel in panels(session, runs, both)]
    assert names == [
        "spectrum",
        "dimension_by_iteration",
        "dimension_by_depth",
        "heatmap",
        "heatmap",
        "heatmap_difference",
        "average_precision",
        "losses",
    ]
    page = report(session, both, MADE).decode()
    assert page.count("<figure") == len(names)
    assert "saw fewer than 8 positions per channel" in page
    assert re.search(r'<tr class="differs"><th scope="row">init.kind</th><td>run</td><td>scratch</td>', page)
    assert re.search(r'<tr class="same"><th scope="row">model.norm</th>', page)
    assert "37.4" in page
    assert "model.widths" not in page


def test_one_run_alone(session: Session, roles: dict[str, int]) -> None:
    page = report(session, ReportRequest((roles["recorded"],)), MADE).decode()
    assert "hide-identical" not in page.split("</style>")[1]
    assert "recorded from outside: only" not in page


def test_chosen_figures_and_layers(session: Session, both: ReportRequest) -> None:
    asked = replace(both, figures=("spectrum", "losses"), layers=("layer2.0", "layer4.1"))
    content = json.loads(unpacked(report(session, asked, MADE).decode(), "content"))
    titles = [panel["light"]["layout"]["meta"]["title"] for panel in content["panels"]]
    assert titles == ["Eigenspectrum of layer2.0", "Eigenspectrum of layer4.1", "Training loss"]
    assert {(one["layer"], one["row"]) for one in content["readings"]} == {
        (layer, str(run)) for layer in asked.layers for run in asked.runs
    }


@pytest.mark.parametrize("criterion", ["absolute", "variance", "power_law"])
@pytest.mark.parametrize("name", ["spectrum", "dimension_by_depth"])
def test_every_step_is_what_the_server_draws(
    session: Session, both: ReportRequest, name: str, criterion: str
) -> None:
    asked = replace(both, criterion=criterion)
    panel = Panel(name, both.runs, "layer3.1" if name == "spectrum" else "")
    first = json.loads(figure(session, name, panel.request(asked, "light")).to_json())
    found = moves(session, panel, asked, Cursor({}, None), first["data"])
    assert len(found) == len(first["data"])
    for step, iteration in enumerate(found[0].steps):
        drawn = figure(session, name, panel.request(replace(asked, iteration=iteration), "light"))
        for move in found:
            trace = drawn.data[move.trace]
            assert set(move.arrays) <= {"x", "y", "customdata"}
            for attribute, values in move.arrays.items():
                truth = np.array(trace[attribute], dtype=np.float64)
                np.testing.assert_allclose(values[step], truth, rtol=8e-6, atol=1e-37)


def test_the_dark_theme_is_told_by_what_differs(session: Session, both: ReportRequest) -> None:
    content = json.loads(unpacked(report(session, both, MADE).decode(), "content"))
    spectrum = content["panels"][0]
    patched = json.loads(json.dumps(spectrum["light"]))
    for path, value in spectrum["dark"]:
        part = patched
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = value
    panel = Panel("spectrum", both.runs, "layer4.1")
    dark = json.loads(figure(session, "spectrum", panel.request(both, "dark")).to_json())
    del dark["layout"]["meta"]["layers"]
    assert patched == dark
    assert len(json.dumps(spectrum["dark"])) < 0.5 * len(json.dumps(spectrum["light"]))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [(["a", "c"], 3)]),
        ([1, {"a": 2}], [1, {"a": 3}], [([1, "a"], 3)]),
        ([1], [1, 2], [([], [1, 2])]),
        ({"a": 1}, {"b": 2}, [(["a"], None), (["b"], 2)]),
        ({"a": 1}, {"a": [1]}, [(["a"], [1])]),
    ],
)
def test_differences_of_two_values(first: Any, second: Any, expected: Any) -> None:
    assert differences(first, second) == expected


def test_numbers_travel_exactly_and_small_where_they_can() -> None:
    arrays = [np.array([[1.0, np.nan, 3.5]]), np.array([[0.1]]), np.arange(6, dtype=np.float32).reshape(3, 2)]
    store = Store()
    packed = [store.add(array) for array in arrays]
    content = gzip.decompress(base64.b64decode(store.compressed()))
    assert [one["dtype"] for one in packed] == ["f4", "f8", "f4"]
    for one, array in zip(packed, arrays, strict=True):
        np.testing.assert_array_equal(rows(one, content), array)


def test_shortened_numbers_are_within_what_is_said() -> None:
    values = np.random.default_rng(0).lognormal(0, 12, 10_000).astype(np.float32)
    short = shortened(values)
    assert np.abs(short.astype(np.float64) / values - 1).max() < 7.7e-6
    assert np.unique(short.view(np.uint32) & 0x7F).tolist() == [0]
    assert shortened(np.zeros(3, np.float32)).tolist() == [0.0, 0.0, 0.0]


def test_too_many_snapshots_are_thinned_aloud(
    session: Session, both: ReportRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = report(session, both, MADE).decode()
    assert "snapshots, so that this file stays small" not in whole
    monkeypatch.setattr(drawing, "MOST_BYTES", 16_000)
    page = report(session, replace(both, iteration=10), MADE).decode()
    content = json.loads(unpacked(page, "content"))
    store = bytes_of(page, "arrays")
    kept = content["steps"]
    assert kept[0] == 0
    assert kept[-1] == 1200
    assert 10 in kept
    assert len(kept) < len(json.loads(unpacked(whole, "content"))["steps"])
    assert re.search(r"move through [345] of 6 snapshots", page)
    for panel in content["panels"]:
        for move in panel["moves"]:
            for packed in move["arrays"].values():
                assert rows(packed, store).shape[0] == len(move["steps"])


def test_snapshots_are_kept_evenly_with_the_ends_and_the_cursor() -> None:
    assert kept_snapshots([0, 1, 2], None, 3) == [0, 1, 2]
    kept = kept_snapshots(list(range(0, 2000, 10)), 1230, 20)
    assert len(kept) <= 20
    assert {0, 199, 123} <= set(kept)
    assert max(np.diff(kept)) <= 12


def test_names_are_text(session: Session, roles: dict[str, int]) -> None:
    page = report(session, ReportRequest((roles["hostile"], roles["S"])), MADE).decode()
    assert "<img" not in page
    assert "&lt;img src=x" in page
    content = json.loads(unpacked(page, "content"))
    told = json.dumps(content)
    assert "<script" not in told
    assert "<img" not in told
    assert "&lt;img" in told


def test_what_cannot_be_shown_is_one_sentence(session: Session, roles: dict[str, int]) -> None:
    run = roles["I"]
    with pytest.raises(InvalidInput, match="a report is of one run or several"):
        ReportRequest(())
    with pytest.raises(NotFound, match="there is no figure 'pie'; take one of"):
        ReportRequest((run,), figures=("pie",))
    with pytest.raises(InvalidInput, match="9 layers are too many for one report; choose at most 8"):
        ReportRequest((run,), layers=tuple("abcdefghi"))
    with pytest.raises(InvalidInput, match="there is no criterion 'best'"):
        ReportRequest((run,), criterion="best")
    with pytest.raises(InvalidInput, match="there is no run 999"):
        report(session, ReportRequest((run, 999)), MADE)
    with pytest.raises(NotFound, match="none of these runs has a layer 'layer9'"):
        report(session, ReportRequest((run,), layers=("layer9",)), MADE)


def test_a_run_without_measurements_has_a_report_too(session: Session, roles: dict[str, int]) -> None:
    page = report(session, ReportRequest((roles["queued"],)), MADE).decode()
    assert 'id="iteration"' not in page
    assert page.count("plot-message") >= 3
    assert "training.lr" in page


def test_the_server_gives_it_as_a_file(client: TestClient, roles: dict[str, int]) -> None:
    answer = client.get(f"/report?runs={roles['I']},{roles['S']}&layer=layer2.0&i=100&c=relative&t=0.01")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="eigenscope-report-{roles["I"]}-{roles["S"]}.html"'
    )
    assert "Above a share of the largest" in answer.text
    assert "threshold 0.01" in answer.text
    content = json.loads(unpacked(answer.text, "content"))
    assert content["steps"][content["start"]] == 100
    for address, sentence in (
        ("/report", "a report is of one run or several"),
        ("/report?runs=1&t=low", "the threshold &#39;low&#39; is no number"),
        ("/report?runs=1&figures=pie", "there is no figure"),
    ):
        refused = client.get(address)
        assert refused.status_code in (404, 422)
        assert sentence in refused.text
