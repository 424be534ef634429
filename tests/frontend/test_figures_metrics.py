"""Scalars along whatever is counted, seeds averaged, and long series thinned."""

from __future__ import annotations

from typing import Any

import numpy as np
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from backend.measurements import repository as measurements
from backend.models import Run
from frontend.figure_catalogue import figure
from frontend.figure_request import FigureRequest
from frontend.figures.metric_lines import MetricSeries, metric_line
from frontend.figures.metrics import learning_rate, losses
from frontend.figures.runs import FigureRun
from frontend.figures.smoothing import exponential_mean
from frontend.figures.thinning import MOST_POINTS, kept_points

RUN = FigureRun(2, "a run", "imagenet")


def add_run(session: Session, seed: int, losses: np.ndarray, **metrics: list[tuple[int, float]]) -> int:
    run = Run(
        name=f"seed {seed}",
        origin="recorded",
        tags=["seeds"],
        specification={"init": {"kind": "scratch"}, "settings": {"seed": seed}},
        iterations=100,
        iteration=100,
        status="succeeded",
    )
    session.add(run)
    session.flush()
    points = [(i, "loss", float(value)) for i, value in enumerate(losses, 1)]
    points += [(i, name, value) for name, values in metrics.items() for i, value in values]
    measurements.write_metrics(session, run.id, points)
    return run.id


def asked(runs: list[int], **more: Any) -> FigureRequest:
    return FigureRequest(runs=",".join(map(str, runs)), **more)


def test_the_band_of_losses_is_that_of_the_smoothed_losses(session: Session) -> None:
    rng = np.random.default_rng(0)
    values = 1 + rng.random((3, 60))
    runs = [add_run(session, seed, one) for seed, one in enumerate(values)]
    drawn = figure(session, "losses", asked(runs, band="seeds", smooth=5))
    low, high, _raw, mean = drawn.data
    at = list(range(1, 61))
    smoothed = np.array([exponential_mean(at, one, 5.0) for one in values])
    np.testing.assert_allclose(mean.y, smoothed.mean(axis=0), rtol=1e-6)
    deviation = smoothed.std(axis=0, ddof=1)
    np.testing.assert_allclose(high.y, smoothed.mean(axis=0) + deviation, rtol=1e-6)
    np.testing.assert_allclose(low.y, smoothed.mean(axis=0) - deviation, rtol=1e-6)
    assert mean.name == "seeds: mean of 3 seeds, ± 1 s.d."
    assert "± 1 standard deviation" in mean.hovertemplate


def test_accuracies_are_averaged_where_all_were_evaluated_and_drawn_as_percentages(session: Session) -> None:
    none = np.ones(1)
    runs = [
        add_run(session, 0, none, ap=[(50, 0.1), (100, 0.3)]),
        add_run(session, 1, none, ap=[(100, 0.4), (120, 0.5)]),
    ]
    low, high, mean = figure(session, "average_precision", asked(runs, band="seeds")).data
    np.testing.assert_array_equal(mean.x, [100])
    np.testing.assert_allclose([low.y[0], mean.y[0], high.y[0]], [30, 35, 40], rtol=1e-6)


def test_losses_along_the_share_of_training_keep_their_iterations_in_the_hover(session: Session) -> None:
    run = add_run(session, 0, np.linspace(2, 1, 100))
    drawn = figure(session, "losses", asked([run], x="relative", smooth=0))
    (line,) = drawn.data
    np.testing.assert_allclose(line.x, np.arange(1, 101))
    np.testing.assert_array_equal(line.customdata[:, 0], np.arange(1, 101))
    assert drawn.layout.xaxis.title.text == "share of the planned training (%)"
    assert drawn.layout.meta["x"] == "relative"


def test_scales_are_as_asked(client: TestClient, roles: dict[str, int]) -> None:
    def axes(name: str, **query: str) -> dict[str, Any]:
        asked = {"runs": str(roles["I"]), **query}
        layout: dict[str, Any] = client.get(f"/api/v1/figures/{name}", params=asked).json()["layout"]
        return layout

    assert axes("losses")["yaxis"]["type"] == "log"
    assert axes("losses", yscale="linear")["yaxis"]["type"] == "linear"
    assert axes("losses", xscale="log")["xaxis"]["type"] == "log"
    assert axes("learning_rate", yscale="log")["yaxis"]["type"] == "log"
    assert axes("learning_rate", x="epoch")["xaxis"]["title"]["text"] == "epoch"


def test_a_long_series_keeps_every_spike_and_says_that_it_is_thinned() -> None:
    values = 1 + 0.01 * np.random.default_rng(0).random(90_000)
    values[12_345], values[77_777] = 9.0, 0.1
    drawn = learning_rate([MetricSeries(RUN, "lr", range(1, 90_001), values)])
    (line,) = drawn.data
    assert len(line.x) <= MOST_POINTS
    assert (line.x[0], line.x[-1]) == (1, 90_000)
    assert (line.y.max(), line.x[line.y.argmax()]) == (9.0, 12_346)
    assert line.x[line.y.argmin()] == 77_778
    assert "90,000 points" in drawn.layout.meta["notes"][0]
    assert len(drawn.to_json()) < 60_000


def test_thinning_keeps_short_series_whole_and_outlives_what_is_no_number() -> None:
    assert len(kept_points(np.ones(MOST_POINTS))) == MOST_POINTS
    values = np.full(10_000, np.nan)
    values[5000] = 1.0
    kept = kept_points(values)
    assert 5000 in kept
    assert (np.diff(kept) > 0).all()
    assert kept[-1] == 9999


def test_a_short_loss_is_drawn_as_it_is() -> None:
    figure_ = losses([MetricSeries(RUN, "loss", range(5), np.arange(5.0) + 1)])
    np.testing.assert_array_equal(figure_.data[0].y, [1, 2, 3, 4, 5])
    assert "notes" not in figure_.layout.meta


def test_a_single_point_is_a_mark() -> None:
    one, two = (metric_line(MetricSeries(RUN, "lr", range(n), np.ones(n)), "lr", {}) for n in (1, 2))
    assert (one.mode, two.mode) == ("lines+markers", "lines")
