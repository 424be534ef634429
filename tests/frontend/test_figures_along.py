"""What the axis along training counts, and where iterations lie on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from backend.measurements import repository as measurements
from backend.measurements.records import WALL_SECONDS
from backend.models import Dataset, Run
from frontend.courses import courses_of
from frontend.figures.along import (
    BY_ITERATION,
    Along,
    Points,
    number_axis,
    place_words,
    snapshot_axis,
    time_unit,
)
from frontend.figures.axes import FigureLayer
from frontend.figures.course import even_course, known_course
from frontend.figures.dimension_by_iteration import DimensionSeries, dimension_by_iteration
from frontend.figures.heatmap import heatmap
from frontend.figures.heatmap_difference import heatmap_difference
from frontend.figures.runs import FigureRun

I_RUN, S_RUN = FigureRun(2, "I", "imagenet"), FigureRun(3, "S", "scratch")
LAYER = FigureLayer("layer1.0", "layer1", 8)
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def points(iterations: list[int], per_iteration: float = 1.0) -> Points:
    at = np.array(iterations, dtype=np.int32)
    return Points(at, even_course(per_iteration).at(at))


def test_a_course_joins_known_places_by_straight_lines_and_goes_on_at_its_mean_pace() -> None:
    course = known_course([1, 10, 20], [5.0, 50.0, 150.0])
    assert course is not None
    np.testing.assert_allclose(course.at([0, 1, 5.5, 15, 20, 40]), [0, 5, 27.5, 100, 150, 300], rtol=1e-15)
    np.testing.assert_allclose(even_course(0.3).at([0, 1, 7]), [0, 0.3, 2.1], rtol=1e-15)


def test_a_course_never_runs_back_and_skips_what_is_no_number() -> None:
    course = known_course([1, 2, 3, 4], [4.0, float("nan"), 2.0, 6.0])
    assert course is not None
    np.testing.assert_allclose(course.at([1, 2, 3, 4]), [4, 4, 4, 6])
    assert known_course([0], [0.0]) is None
    assert known_course([1, 2], [float("nan")] * 2) is None


def test_snapshots_are_equal_steps_unless_a_scale_or_something_else_is_asked_for() -> None:
    lines = [points([0, 1, 100]), points([0, 10])]
    steps = snapshot_axis(lines, Along())
    assert steps.layout["categoryarray"] == ["0", "1", "10", "100"]
    linear = snapshot_axis(lines, Along(scale="linear"))
    assert linear.layout["type"] == "linear"
    np.testing.assert_array_equal(linear.xs[0], [0, 1, 100])
    epochs = snapshot_axis([points([0, 50, 100], 0.02)], Along("epoch"))
    np.testing.assert_allclose(epochs.xs[0], [0, 1, 2])
    assert epochs.layout["title"]["text"] == "epoch"
    assert "epoch %{customdata[1]" in epochs.hover


def test_a_log_axis_draws_zero_at_its_left_end_and_says_so() -> None:
    axis = number_axis([points([0, 1, 100]), points([2, 1000])], Along(scale="log"))
    np.testing.assert_allclose(axis.xs[0], [0.5, 1, 100])
    assert axis.layout["ticktext"][0] == "0"
    assert axis.layout["tickvals"][0] == 0.5
    low, high = axis.layout["range"]
    assert low < np.log10(0.5)
    assert high > 3
    np.testing.assert_array_equal(axis.data[0][:, 0], [0, 1, 100])
    assert "%{customdata[0]" in axis.hover, "x itself is not where the iteration is"


def test_a_log_axis_without_zero_has_no_mark_for_it() -> None:
    axis = number_axis([points([5, 100])], Along(scale="log"))
    assert "0" not in axis.layout["ticktext"]
    assert axis.layout["ticktext"][0] == "5"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(45, "45 s"), (150, "2.5 min"), (3 * 3600, "3 h"), (5 * 86400 + 7200, "5.08 d"), (0, "0 s")],
)
def test_time_is_said_in_a_unit_that_people_use(seconds: float, words: str) -> None:
    assert place_words(seconds, "wall") == words


def test_one_unit_of_time_serves_all_lines_of_an_axis() -> None:
    short, long = points([0, 60]), points([0, 3600 * 3])
    axis = number_axis([short, long], Along("wall"))
    assert axis.layout["title"]["text"] == "time since the start (h)"
    np.testing.assert_allclose(axis.xs[0], [0, 1 / 60], rtol=1e-6)
    assert time_unit(3600 * 3) == (3600.0, "h")


def test_heatmaps_keep_equal_steps_and_are_labelled_by_place() -> None:
    figure = heatmap(
        I_RUN,
        [LAYER],
        [0, 50, 100],
        np.ones((1, 3)),
        along=Along("relative"),
        places=np.array([0.0, 50, 100]),
    )
    assert list(figure.data[0].x) == [
        "0 (0 % of the training)",
        "50 (50 % of the training)",
        "100 (100 % of the training)",
    ]
    assert list(figure.layout.xaxis.categoryarray) == list(figure.data[0].x)
    assert set(figure.layout.xaxis.tickvals) <= set(figure.data[0].x)
    assert list(figure.layout.xaxis.ticktext) == ["0", "50", "100"]
    assert figure.layout.meta["iterations"] == [0, 50, 100]


def test_a_difference_of_aligned_runs_names_both_iterations() -> None:
    shares = (np.array([[0.5, 0.75]]), np.array([[0.25, 0.25]]))
    figure = heatmap_difference(I_RUN, S_RUN, [LAYER], [0, 50], shares, others=[0, 100])
    assert list(figure.data[0].x) == ["0 − 0", "50 − 100"]
    np.testing.assert_array_equal(figure.data[0].customdata, [[[50, 25], [75, 25]]])


def test_a_log_axis_of_dimensions_leaves_out_zero() -> None:
    series = DimensionSeries(I_RUN, (0, 10), np.array([0.0, 6.0]), 8)
    figure = dimension_by_iteration("layer1.0", [series], yscale="log")
    assert np.isnan(figure.data[0].y[0])
    assert figure.layout.yaxis.type == "log"
    assert "6" not in figure.layout.yaxis.ticktext
    assert "5" in figure.layout.yaxis.ticktext


def launched(session: Session, **columns: Any) -> Run:
    dataset = Dataset(
        name="d",
        kind="coco",
        train="t",
        val="v",
        images="i",
        categories=[],
        has_masks=False,
        counts={"train": {"images": 800, "annotations": 1}, "val": {"images": 1, "annotations": 1}},
    )
    session.add(dataset)
    session.flush()
    specification = {"init": {"kind": "scratch"}, "training": {"batch_size": 4}}
    values = {
        "name": "a run",
        "specification": specification,
        "iterations": 1000,
        "iteration": 1000,
        "attempt": 1,
    }
    run = Run(dataset_id=dataset.id, **(values | columns))
    session.add(run)
    session.flush()
    return run


def recorded(session: Session, **columns: Any) -> Run:
    values = {
        "name": "one's own",
        "origin": "recorded",
        "specification": {"init": {"kind": "unknown"}, "settings": {}},
    }
    run = Run(**(values | {"iterations": 0, "iteration": 10} | columns))
    session.add(run)
    session.flush()
    return run


def test_an_epoch_is_one_pass_over_the_training_images(session: Session) -> None:
    run = launched(session)
    found = courses_of(session, [run], "epoch")
    np.testing.assert_allclose(found.by_run[run.id].at([0, 200, 1000]), [0, 1, 5], rtol=1e-15)
    assert not found.notes


def test_a_recorded_run_has_the_epochs_that_it_told_or_says_that_it_has_none(session: Session) -> None:
    silent, told = recorded(session), recorded(session)
    measurements.write_metrics(session, told.id, [(5, "epoch", 1.0), (10, "epoch", 2.0)])
    found = courses_of(session, [silent, told], "epoch")
    assert silent.id not in found.by_run
    np.testing.assert_allclose(found.by_run[told.id].at([0, 5, 10]), [0, 1, 2])
    (note,) = found.notes
    assert note.startswith("one's own: recorded without a dataset")
    assert note.count(".") == 1


def test_a_share_is_of_what_was_planned_or_done(session: Session) -> None:
    run, open_end, done = (
        launched(session),
        recorded(session, status="running"),
        recorded(session, status="succeeded"),
    )
    found = courses_of(session, [run, open_end, done], "relative")
    assert found.by_run[run.id].at([250])[0] == 25
    assert found.by_run[done.id].at([5])[0] == 50
    assert open_end.id not in found.by_run
    assert len(found.notes) == 1


def test_time_is_what_the_trainer_stored(session: Session) -> None:
    run = launched(session, started_at=BEGAN, finished_at=BEGAN + timedelta(hours=9))
    measurements.write_metrics(session, run.id, [(1, WALL_SECONDS, 3.0), (2, WALL_SECONDS, 4.0)])
    found = courses_of(session, [run], "wall")
    np.testing.assert_allclose(found.by_run[run.id].at([0, 1, 2]), [0, 3, 4])
    assert not found.notes


def test_old_runs_are_placed_by_an_estimate_that_is_said(session: Session) -> None:
    whole = launched(session, started_at=BEGAN, finished_at=BEGAN + timedelta(seconds=2000))
    found = courses_of(session, [whole], "wall")
    assert found.by_run[whole.id].at([500])[0] == 1000
    assert "estimated, all iterations alike over its 33 min" in found.notes[0]
    resumed = recorded(
        session,
        attempt=2,
        started_at=BEGAN,
        finished_at=BEGAN + timedelta(days=9),
        seconds_per_iteration=0.25,
    )
    found = courses_of(session, [resumed], "wall")
    assert found.by_run[resumed.id].at([8])[0] == 2
    assert "estimated from 0.25 s an iteration" in found.notes[0]
    unknown = recorded(session)
    found = courses_of(session, [unknown], "wall")
    assert not found.by_run
    assert found.notes == ("one's own: its times were not stored; count iterations.",)


def test_a_figure_says_why_a_run_is_missing_and_why_it_is_empty(
    client: TestClient, roles: dict[str, int]
) -> None:
    def asked(runs: str, **query: str) -> dict[str, Any]:
        address = "/api/v1/figures/dimension_by_iteration"
        found: dict[str, Any] = client.get(address, params={"runs": runs, **query}).json()
        return found

    both = asked(f"{roles['I']},{roles['recorded']}", layer="layer4.1", x="epoch")
    assert [trace["meta"]["run"] for trace in both["data"]] == [roles["I"]]
    (note,) = both["layout"]["meta"]["notes"]
    assert "recorded without a dataset" in note
    alone = asked(str(roles["recorded"]), layer="conv1", x="epoch")
    assert alone["layout"]["meta"]["empty"] == note
    nowhere = asked(str(roles["I"]), layer="no such layer")
    assert nowhere["layout"]["meta"]["empty"] == "This run has no layer 'no such layer'."
    waiting = asked(str(roles["queued"]), layer="layer4.1")
    assert "no spectra yet" in waiting["layout"]["meta"]["empty"]


def test_few_iterations_have_a_tick_each_and_many_are_left_to_plotly() -> None:
    few, many = (
        number_axis([Points(np.arange(n), np.arange(n) * 1.0)], BY_ITERATION).layout for n in (3, 100)
    )
    assert few["dtick"] == 1
    assert "dtick" not in many
