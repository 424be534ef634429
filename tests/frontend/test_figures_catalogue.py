"""Figures by name from a database: seeds averaged, runs aligned, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from backend.errors import InvalidInput, NotFound
from backend.measurements import repository as measurements
from backend.measurements.records import LayerRow, SpectrumRow
from backend.models import Run
from backend.spectra.criteria import dimensionality
from frontend.figure_catalogue import FIGURES, figure
from frontend.figure_request import FigureRequest
from frontend.figures.alignment import Snapshots, aligned, last_by_progress

WIDTH = 6
LAYERS = [LayerRow(0, "a", "act", "stem", WIDTH), LayerRow(1, "b", "block", "stem", WIDTH)]


def spectra(seed: int, iteration: int) -> np.ndarray:
    """Return the two layers' eigenvalues, float32, descending."""
    rng = np.random.default_rng([seed, iteration])
    return np.sort(10 ** rng.uniform(-6, 1, (2, WIDTH)).astype(np.float32), axis=-1)[:, ::-1]


def add_run(
    session: Session, seed: int, snapshots: tuple[int, ...], planned: int = 100, **columns: Any
) -> int:
    values = {
        "name": f"seed {seed}",
        "tags": ["seeds"],
        "status": "succeeded",
        "iteration": planned,
        "specification": {"init": {"kind": "scratch"}, "settings": {"seed": seed, "lr": 0.1}},
    }
    run = Run(origin="recorded", iterations=planned, **(values | columns))
    session.add(run)
    session.flush()
    measurements.write_layers(session, run.id, LAYERS)
    for iteration in snapshots:
        values = spectra(seed, iteration)
        rows = [
            SpectrumRow(k, one, int((one > 1e-3).sum()), float(one.sum()), float(one[0]), 4, 400)
            for k, one in enumerate(values)
        ]
        measurements.write_spectra(session, run.id, iteration, rows)
    return run.id


def asked(runs: list[int], **more: Any) -> FigureRequest:
    return FigureRequest(runs=",".join(map(str, runs)), **more)


@pytest.mark.parametrize("criterion", ["absolute", "effective_rank", "power_law"])
def test_the_mean_over_seeds_is_that_of_the_stored_spectra(session: Session, criterion: Any) -> None:
    snapshots = {0: (0, 5, 10, 100), 1: (0, 10, 50, 100), 2: (0, 5, 10, 100)}
    runs = [add_run(session, seed, at) for seed, at in snapshots.items()]
    drawn = figure(
        session,
        "dimension_by_iteration",
        asked(runs, layer="b", band="seeds", criterion=criterion, xscale="linear"),
    )
    low, high, line = drawn.data
    np.testing.assert_array_equal(line.x, [0, 10, 100])
    exact = np.array(
        [[float(dimensionality(spectra(seed, i)[1], criterion)) for i in (0, 10, 100)] for seed in snapshots]
    )
    np.testing.assert_allclose(line.y, exact.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(high.y, exact.mean(axis=0) + exact.std(axis=0, ddof=1), rtol=1e-6)
    np.testing.assert_allclose(low.y, exact.mean(axis=0) - exact.std(axis=0, ddof=1), rtol=1e-6)
    (note,) = drawn.layout.meta["notes"]
    assert note == (
        "seeds: mean of 3 seeds, ± 1 standard deviation, at the 3 of up to 4 iterations that all of them have."
    )


def test_the_mean_by_depth_is_of_shares_at_one_iteration(session: Session) -> None:
    runs = [add_run(session, seed, (0, 10)) for seed in (0, 1)]
    low, high, line = figure(session, "dimension_by_depth", asked(runs, iteration=10, band="tags")).data
    exact = np.array([dimensionality(spectra(seed, 10), "absolute") for seed in (0, 1)]) / WIDTH
    np.testing.assert_allclose(line.y, exact.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose([low.y, high.y], [exact.min(axis=0), exact.max(axis=0)], rtol=1e-6)


def test_seeds_without_a_common_snapshot_are_drawn_alone(session: Session) -> None:
    runs = [add_run(session, 0, (0,)), add_run(session, 1, (5,))]
    drawn = figure(session, "dimension_by_iteration", asked(runs, layer="a", band="seeds"))
    assert [trace.meta["run"] for trace in drawn.data] == runs
    assert "share no iteration or width" in drawn.layout.meta["notes"][0]


def test_a_band_says_what_else_than_the_seed_parts_its_runs(session: Session) -> None:
    first = add_run(session, 0, (0,))
    settings = {"seed": 0, "lr": 0.2}
    second = add_run(session, 1, (0,), specification={"init": {"kind": "scratch"}, "settings": settings})
    request = asked([first, second], layer="a", band="seeds")
    notes = figure(session, "dimension_by_iteration", request).layout.meta["notes"]
    assert "seeds: its runs also differ in lr." in notes
    assert any("share a seed" in note for note in notes)
    alone = figure(session, "dimension_by_iteration", request.model_copy(update={"band": "tags"}))
    assert len(alone.data) == 2, "another learning rate is no other seed"


def test_a_tag_that_no_run_has_is_refused_by_name(session: Session) -> None:
    run = add_run(session, 0, (0,))
    with pytest.raises(InvalidInput, match="none of these runs has the tag 'other'; their tags are seeds"):
        figure(session, "dimension_by_iteration", asked([run], layer="a", band="other"))


def test_runs_of_different_lengths_are_subtracted_at_the_same_share_of_training(session: Session) -> None:
    short = add_run(session, 0, (0, 10, 50, 100))
    long = add_run(session, 1, (0, 19, 20, 90, 200), planned=200)
    (trace,) = figure(session, "heatmap_difference", asked([short, long], align="progress")).data
    pairs = [(0, 0), (10, 20), (50, 90), (100, 200)]
    assert list(trace.x) == ["0 − 0", "10 − 20", "50 − 90", "100 − 200"]
    exact = [
        dimensionality(spectra(0, i), "absolute") - dimensionality(spectra(1, k), "absolute")
        for i, k in pairs
    ]
    np.testing.assert_allclose(trace.z, 100 * np.array(exact).T / WIDTH, rtol=1e-6)
    (same,) = figure(session, "heatmap_difference", asked([short, long])).data
    assert list(same.x) == ["0"], "by iteration they have nothing else in common"


def test_progress_needs_a_plan(session: Session) -> None:
    runs = [add_run(session, 0, (0,)), add_run(session, 1, (0,), planned=0, status="running", iteration=5)]
    with pytest.raises(
        InvalidInput, match=f"iterations run {runs[1]} is planned to have; take align=iteration"
    ):
        figure(session, "heatmap_difference", asked(runs, align="progress"))


def test_depth_is_compared_at_the_share_of_the_first_run(session: Session) -> None:
    short, long = add_run(session, 0, (0, 50, 100)), add_run(session, 1, (0, 50, 99, 101, 200), planned=200)
    by_progress = figure(session, "dimension_by_depth", asked([short, long], iteration=50, align="progress"))
    assert [trace.meta["iteration"] for trace in by_progress.data] == [50, 99]
    by_iteration = figure(session, "dimension_by_depth", asked([short, long], iteration=50))
    assert [trace.meta["iteration"] for trace in by_iteration.data] == [50, 50]


def test_no_snapshot_from_later_in_a_training_meets_an_earlier_one() -> None:
    first, second = Snapshots((0, 10, 100), 100, 100), Snapshots((0, 21, 30, 250), 300, 300)
    assert aligned(first, second, "progress") == [(0, 0), (1, 2), (2, 3)]
    assert aligned(second, first, "progress") == [(0, 0), (1, 0), (2, 1), (3, 1)]
    assert last_by_progress(second, 9, 100) == 1
    assert aligned(first, second, "iteration") == [(0, 0)]


def test_what_the_second_run_has_not_reached_is_not_compared() -> None:
    first, second = Snapshots((0, 50, 100), 100, 100), Snapshots((0, 100), 400, 220)
    assert aligned(first, second, "progress") == [(0, 0), (1, 1)]


def test_an_empty_difference_says_why(session: Session) -> None:
    runs = [add_run(session, 0, (0,)), add_run(session, 1, (5,))]
    drawn = figure(session, "heatmap_difference", asked(runs))
    assert drawn.layout.meta["empty"].endswith("align them by progress.")


def test_every_figure_names_what_it_reads_and_says_why_it_is_empty(session: Session) -> None:
    run, other = add_run(session, 0, ()), add_run(session, 1, ())
    fields = set(FigureRequest.model_fields)
    for name, kind in FIGURES.items():
        assert set(kind.parameters) <= fields
        runs = [run, other] if name == "heatmap_difference" else [run]
        drawn = figure(session, name, asked(runs, layer="a", metric="own"))
        assert drawn.layout.meta["empty"].endswith("."), name


def test_a_name_that_there_is_not_is_answered_with_those_that_there_are(session: Session) -> None:
    with pytest.raises(NotFound, match="there is no figure 'pie'; take one of heatmap, "):
        figure(session, "pie", asked([1]))


def test_the_api_documents_every_parameter_and_refuses_what_it_does_not_know(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    parameters = paths["/api/v1/figures/{name}"]["get"]["parameters"]
    assert {one["name"] for one in parameters} == {"name", *FigureRequest.model_fields}
    assert all(one.get("description") for one in parameters)
    answer = client.get("/api/v1/figures/losses", params={"runs": "1", "colour": "red"})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "colour: there is no such field; remove it or mend its name"
