"""A report draws its figures as the page did that it was started from: axes, alignment, bands over seeds."""

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
from sqlalchemy.orm import Session

from backend.database import Database
from backend.errors import InvalidInput
from backend.models import Run
from backend.settings import Settings
from eigenscope.server import build_app
from frontend.figure_catalogue import figure
from frontend.report.contents import Panel
from frontend.report.cursor import percent, placed
from frontend.report.document import report
from frontend.report.motion import moves
from frontend.report.request import ReportRequest
from frontend.report.view import ReportView

MADE = datetime(2026, 3, 5, 14, 7, tzinfo=UTC)


@pytest.fixture
def session(seeds: tuple[Settings, list[int]]) -> Iterator[Session]:
    """Yield a session that reads a short pre-trained run and three seeds twice as long."""
    database = Database(seeds[0].database)
    with database.reading() as opened:
        yield opened
    database.dispose()


@pytest.fixture
def asked(seeds: tuple[Settings, list[int]]) -> ReportRequest:
    return ReportRequest(tuple(seeds[1]), layers=("layer3.1",))


def content_of(page: str) -> Any:
    found = re.search(r'id="content">([A-Za-z0-9+/=]+)</script>', page)
    assert found is not None
    return json.loads(gzip.decompress(base64.b64decode(found[1])))


@pytest.mark.parametrize("criterion", ["absolute", "effective_rank", "power_law"])
@pytest.mark.parametrize(
    "view",
    [
        ReportView(y="relative"),
        ReportView(y="cumulative", xs="linear"),
        ReportView(align="progress"),
        ReportView(band="seeds"),
        ReportView(y="relative", band="seeds", align="progress"),
        ReportView(y="cumulative", band="tags"),
    ],
    ids=lambda view: "-".join(filter(None, (view.y, view.align, view.band))),
)
@pytest.mark.parametrize("name", ["spectrum", "dimension_by_depth"])
def test_every_step_is_what_the_server_draws(
    session: Session, asked: ReportRequest, name: str, view: ReportView, criterion: str
) -> None:
    runs = [session.get_one(Run, run_id) for run_id in asked.runs]
    asked, cursor = placed(runs, replace(asked, criterion=criterion, view=view))
    panel = Panel(name, asked.runs, "layer3.1" if name == "spectrum" else "")
    first = json.loads(figure(session, name, panel.request(asked, "light")).to_json())
    found = moves(session, panel, asked, cursor, first["data"])
    still = [
        trace
        for trace in first["data"]
        if trace["meta"].get("part") == "fit" and view.y == "cumulative" and trace["meta"]["run"]
    ]
    assert len(found) == len(first["data"]) - len(still)
    for iteration in (0, 10, 300, 600):
        step = 100 * iteration / 600 if view.by_progress else iteration
        drawn = figure(session, name, panel.request(replace(asked, iteration=iteration), "light"))
        for move in found:
            at = int(np.searchsorted(move.steps, step, side="right")) - 1
            for attribute, values in move.arrays.items():
                truth = np.array(drawn.data[move.trace][attribute], dtype=np.float64)
                np.testing.assert_allclose(values[at], truth, rtol=8e-6, atol=1e-37)


def test_figures_take_the_view_as_far_as_they_read_it(asked: ReportRequest) -> None:
    view = ReportView("cumulative", "linear", "log", "epoch", "progress", "seeds")
    asked = replace(asked, view=view)
    spectrum = Panel("spectrum", asked.runs, "layer3.1").request(asked, "dark")
    assert (spectrum.y, spectrum.xs, spectrum.ys, spectrum.align, spectrum.band) == (
        "cumulative",
        "linear",
        "log",
        "progress",
        "seeds",
    )
    assert (spectrum.x, spectrum.theme) == ("iteration", "dark")
    losses = Panel("losses", asked.runs).request(asked, "light")
    assert (losses.x, losses.band, losses.y) == ("epoch", "seeds", "absolute")


def test_runs_aligned_by_progress_share_a_cursor_of_percent(session: Session, asked: ReportRequest) -> None:
    view = ReportView(align="progress", progress=50.0)
    page = report(session, replace(asked, view=view), MADE).decode()
    content = content_of(page)
    # The short run's snapshots at 300 and 600 of 600 are the long ones' at 600 and 1,200 of 1,200.
    assert content["steps"][-4:] == [pytest.approx(100 * 300 / 1200), 50.0, 75.0, 100.0]
    assert content["steps"][content["start"]] == 50.0
    assert content["totals"] == {str(asked.runs[0]): 600, **{str(run): 1200 for run in asked.runs[1:]}}
    assert ">50 % of training</output>" in page
    short = next(one for one in content["readings"] if one["row"] == str(asked.runs[0]))
    assert short["steps"][-2:] == [50.0, 100.0]
    assert [panel["marked"] for panel in content["panels"][:4]] == [False, False, False, True]


def test_seeds_are_one_row_of_readings_beside_their_own(session: Session, asked: ReportRequest) -> None:
    page = report(session, replace(asked, view=ReportView(band="seeds")), MADE).decode()
    content = content_of(page)
    key = "-".join(map(str, asked.runs[1:]))
    by_row = {one["row"]: one["values"] for one in content["readings"]}
    mean = np.mean([by_row[str(run)] for run in asked.runs[1:]], axis=0)
    np.testing.assert_allclose(by_row[key], mean, rtol=1e-5)
    assert "seeds: mean of 3 seeds" in page
    assert page.count('class="stroke') == 2
    assert "mean of 3 seeds, ± 1 standard deviation, at the" in page


@pytest.mark.parametrize("step", [(50.0, "50 %"), (33.333, "33.3 %"), (0.04, "0 %"), (8.34, "8.3 %")])
def test_shares_are_written_as_the_page_writes_them(step: tuple[float, str]) -> None:
    assert percent(step[0]) == step[1]


@pytest.mark.parametrize(
    ("view", "sentence"),
    [
        (
            {"y": "pie"},
            "'pie' is no value of y, the spectrum's heights; take one of absolute, relative, cumulative",
        ),
        ({"xs": "square"}, "'square' is no value of xs"),
        ({"ys": "square"}, "'square' is no value of ys"),
        ({"x": "moon"}, "take one of iteration, epoch, relative, wall"),
        ({"align": "stars"}, "'stars' is no value of align, what runs are aligned by"),
        ({"align": "progress", "progress": 120.0}, "the progress 120 is no percentage of a training"),
        ({"align": "progress", "progress": float("nan")}, "the progress nan is no percentage of a training"),
        ({"progress": 50.0}, "the progress 50 is of runs aligned by it; say align progress too"),
    ],
)
def test_a_bad_value_is_one_sentence(view: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(sentence)):
        ReportView(**view)


def test_a_view_that_the_runs_do_not_have_is_one_sentence(session: Session, asked: ReportRequest) -> None:
    with pytest.raises(InvalidInput, match="none of these runs has the tag 'moon'; their tags are seeds"):
        report(session, replace(asked, view=ReportView(band="moon")), MADE)
    with pytest.raises(InvalidInput, match="an iteration or at a progress; give one of the two"):
        replace(asked, iteration=3, view=ReportView(align="progress", progress=5.0))


def test_the_address_has_the_pages_keys(seeds: tuple[Settings, list[int]]) -> None:
    runs = ",".join(map(str, seeds[1]))
    with TestClient(build_app(seeds[0]), base_url="http://127.0.0.1") as client:
        keys = "y=relative&xs=linear&ys=linear&x=epoch&align=progress&p=50&band=seeds&layer=layer3.1"
        answer = client.get(f"/report?runs={runs}&{keys}")
        assert answer.status_code == 200
        panels = content_of(answer.text)["panels"]
        spectrum, course = (panel["light"]["layout"] for panel in panels[:2])
        assert spectrum["meta"]["height"] == "relative"
        assert (spectrum["xaxis"]["type"], spectrum["yaxis"]["type"]) == ("linear", "linear")
        assert course["meta"]["x"] == "epoch"
        for key, sentence in (
            ("y=pie", "is no value of y"),
            ("p=half", "the progress &#39;half&#39; is no number"),
        ):
            refused = client.get(f"/report?runs={runs}&{key}", headers={"Accept": "text/html"})
            assert refused.status_code == 422
            assert sentence in refused.text
