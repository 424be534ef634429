"""Smoothing against its definition, and what the figures of a training show."""

from __future__ import annotations

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from frontend.figures.metric_lines import MetricSeries
from frontend.figures.metrics import gpu_memory, losses, own_metric, precision_by_size
from frontend.figures.runs import FigureRun
from frontend.figures.smoothing import exponential_mean, memory_of

RUN = FigureRun(1, "a run", "scratch")


def dense(x: np.ndarray, y: np.ndarray, memory: float) -> np.ndarray:
    """The definition, as a full triangle of weights."""
    weights = np.tril(np.exp(-np.clip(x[:, None] - x[None, :], 0, None) / memory)) * np.isfinite(y)
    with np.errstate(invalid="ignore"):
        return weights @ np.nan_to_num(y) / weights.sum(1)


@given(st.integers(1, 60), st.floats(0.3, 1e5), st.integers(0, 2**31), st.booleans())
def test_the_exponential_mean_is_that_of_its_definition(
    points: int, memory: float, seed: int, gaps: bool
) -> None:
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.integers(1, 900 if gaps else 2, points))
    y = rng.normal(size=points)
    y[rng.random(points) < 0.2] = np.nan
    found, wanted = exponential_mean(x, y, memory), dense(x.astype(float), y, memory)
    near = wanted[np.isfinite(wanted)]
    assert np.isfinite(found).sum() >= len(near)
    np.testing.assert_allclose(found[np.isfinite(wanted)], near, rtol=1e-9, atol=1e-9)


def test_the_first_value_is_kept_and_a_long_memory_is_the_mean() -> None:
    y = np.array([4.0, 2.0, 0.0])
    assert exponential_mean((1, 2, 3), y, 5)[0] == 4.0
    np.testing.assert_allclose(exponential_mean((1, 2, 3), y, 1e12), [4, 3, 2])
    np.testing.assert_array_equal(exponential_mean((1, 2, 3), y, 0), y)


def test_without_a_wish_a_fortieth_of_a_run_long_enough_is_remembered() -> None:
    assert memory_of(range(1, 402), None) == 10
    assert memory_of(range(30), None) == 0
    assert memory_of(range(30), 7) == 7


def test_losses_show_raw_values_behind_what_is_smoothed() -> None:
    steps = np.arange(1, 11)
    series = [MetricSeries(RUN, "loss", steps, np.linspace(2, 1, 10))]
    smoothed = losses(series, smooth=3, scale="linear")
    raw, mean = smoothed.data
    np.testing.assert_allclose(raw.y, series[0].values, rtol=1e-6)
    np.testing.assert_allclose(mean.customdata[:, 0], series[0].values, rtol=1e-6)
    assert mean.y[-1] > raw.y[-1]
    assert smoothed.layout.yaxis.type == "linear"
    (alone,) = losses(series, smooth=0).data
    np.testing.assert_allclose(alone.y, series[0].values, rtol=1e-6)


def test_shares_are_percentages_and_memory_is_in_gib() -> None:
    wait = own_metric("data_wait", [MetricSeries(RUN, "data_wait", (1, 2), np.array([0.1, 0.5]))])
    np.testing.assert_allclose(wait.data[-1].y, [10, 50], rtol=1e-6)
    memory = gpu_memory([MetricSeries(RUN, "gpu_memory", (1,), np.array([3.0 * 2**30]))])
    np.testing.assert_allclose(memory.data[0].y, [3])
    sizes = precision_by_size(
        [MetricSeries(RUN, name, (1,), np.array([0.25])) for name in ("ap_small", "mask_ap_small")]
    )
    assert [(one.name, one.line.dash) for one in sizes.data] == [("small", "solid"), ("mask, small", "dash")]


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("failed", "ended before its first evaluation"),
        ("queued", "first evaluation comes at iteration 1,200"),
    ],
)
def test_a_run_without_an_evaluation_says_when_one_comes(
    client: TestClient, roles: dict[str, int], role: str, words: str
) -> None:
    figure = client.get(f"/api/v1/figures/average_precision?runs={roles[role]}").json()
    assert words in figure["layout"]["meta"]["empty"]


def test_smoothing_and_axis_are_checked(client: TestClient, roles: dict[str, int]) -> None:
    address = f"/api/v1/figures/losses?runs={roles['I']}"
    assert client.get(f"{address}&smooth=20&yscale=linear").json()["layout"]["yaxis"]["type"] == "linear"
    for wrong in ("smooth=-1", "smooth=nan", "y=cubic"):
        assert client.get(f"{address}&{wrong}").status_code == 422


def test_the_form_starts_from_the_checkpoint_of_a_link(client: TestClient, roles: dict[str, int]) -> None:
    page = client.get(f"/new?from={roles['pretraining']}&checkpoint=1200").text
    assert 'name="init-kind" value="run" checked' in page
    assert f'<option value="1200" data-run="{roles["pretraining"]}" selected>' in page
