"""AP by category: sorted bars, names as text, no clutter in the table's columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sqlalchemy.orm import Session

from backend.measurements import repository as measurements
from backend.models import Run
from backend.runs.table.lookup import available, column
from frontend.figure_catalogue import figure
from frontend.figure_request import FigureRequest
from frontend.figures.precision_by_category import SHOWN_AT_MOST
from frontend.training_charts import charts_of_comparison, charts_of_run

HOSTILE = "<b>%{x}</b>"


def add_run(session: Session, values: dict[int, dict[str, float]], **columns: Any) -> Run:
    run = Run(
        origin="recorded",
        name="a run",
        tags=[],
        status="succeeded",
        iteration=20,
        iterations=20,
        specification={"init": {"kind": "scratch"}, "settings": {}},
        **columns,
    )
    session.add(run)
    session.flush()
    points = [(i, name, value) for i, found in values.items() for name, value in found.items()]
    measurements.write_metrics(session, run.id, points)
    return run


def drawn(session: Session, *runs: Run, **more: Any) -> Any:
    asked = FigureRequest(runs=",".join(str(run.id) for run in runs), **more)
    return figure(session, "precision_by_category", asked)


def test_categories_are_sorted_by_the_first_run_at_its_last_evaluation(session: Session) -> None:
    early = {"ap": 0.1, "ap/cat": 0.9, "ap/dog": 0.1}
    first = add_run(
        session, {10: early, 20: {"ap": 0.2, "ap/cat": 0.2, "ap/dog": 0.4, "ap/eel": float("nan")}}
    )
    second = add_run(session, {20: {"ap/cat": 0.5, "ap/fox": 0.7}})
    found = drawn(session, first, second)
    assert found.layout.meta["layers"] == ["dog", "cat", "fox"], "the undefined eel is left out"
    np.testing.assert_allclose(found.data[0].x, [40, 20, np.nan], rtol=1e-6)
    np.testing.assert_allclose(found.data[1].x, [np.nan, 50, 70], rtol=1e-6)
    assert found.data[0].marker.color != found.data[1].marker.color or first.id % 4 == second.id % 4
    assert drawn(session, first, iteration=19).layout.meta["layers"] == ["cat", "dog"]


def test_masks_stand_beside_boxes_of_one_run_alone(session: Session) -> None:
    run = add_run(session, {20: {"ap/cat": 0.2, "mask_ap/cat": 0.1}})
    assert [trace.name for trace in drawn(session, run).data] == ["a run", "a run, masks"]
    other = add_run(session, {20: {"ap/cat": 0.3}})
    assert len(drawn(session, run, other).data) == 2


def test_names_are_text_and_equal_beginnings_stay_apart(session: Session) -> None:
    long = "x" * 70
    run = add_run(
        session, {20: {f"ap/{HOSTILE}": 0.3, f"ap/{long}1": 0.2, f"ap/{long}2": 0.1, "ap/a/b": 0.4}}
    )
    found = drawn(session, run)
    assert found.layout.meta["layers"] == ["a/b", HOSTILE, f"{long}1", f"{long}2"]
    assert len(set(found.data[0].y)) == 4
    shown = [*found.layout.yaxis.ticktext, *found.data[0].customdata]
    assert not any("<" in text or "{" in text for text in shown)


def test_of_many_categories_the_best_and_the_worst_are_drawn(session: Session) -> None:
    run = add_run(session, {20: {f"ap/{k:03}": k / 200 for k in range(120)}})
    found = drawn(session, run)
    names = found.layout.meta["layers"]
    assert len(names) == SHOWN_AT_MOST
    assert (names[0], names[-1]) == ("119", "000")
    assert found.layout.meta["notes"][0].startswith("Of 120 categories")
    assert found.layout.height > 1000


def test_categories_have_one_chart_and_no_columns_to_choose(session: Session) -> None:
    run = add_run(session, {20: {"ap": 0.2, "ap/cat": 0.2, "ap/dog": 0.4, "own": 1.0}})
    shown = [(one.figure, one.metric) for one in charts_of_run(session, run)]
    assert ("precision_by_category", "") in shown
    assert [metric for name, metric in shown if name == "metric"] == ["own"]
    assert "precision_by_category" in [one.figure for one in charts_of_comparison(session, [run, run])]
    keys = [one.key for one in available(session)]
    assert "own:last" in keys
    assert not any("/" in key for key in keys)
    assert column(session, "ap/cat:last").metric == "ap/cat"


@pytest.mark.parametrize("name", ["ap/", "/cat", "loss/cat", "ap"])
def test_what_is_no_category_is_drawn_nowhere(session: Session, name: str) -> None:
    assert not drawn(session, add_run(session, {20: {name: 0.5}})).data
