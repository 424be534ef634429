"""Facts of a comparison against what was written to the database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from backend.database import Database
from backend.measurements import repository
from backend.measurements.records import LayerRow, SpectrumRow
from backend.models import Run
from backend.runs.specification import RunSpecification

WIDTH = 100
LAYERS = ("layer1.0", "layer1.1", "layer4.0")


def add(
    database: Database,
    specification: RunSpecification,
    shares: dict[int, Sequence[float]],
    *,
    layers: Sequence[str] = LAYERS,
    init: str = "scratch",
    positions: int = 100 * WIDTH,
    lambda_1: float = 1.0,
    evaluations: dict[int, float] | None = None,
    **columns: Any,
) -> int:
    """Add a run whose layers have these shares of `WIDTH` eigenvalues above the threshold, by iteration."""
    content = specification.model_dump(mode="json") | {"init": {"kind": init}}
    with database.writing() as session:
        values = {"name": init, "status": "succeeded", "iterations": 100, "iteration": 100} | columns
        run = Run(dataset_id=specification.dataset_id, specification=content, **values)
        session.add(run)
        session.flush()
        rows = [LayerRow(k, name, "block", name.partition(".")[0], WIDTH) for k, name in enumerate(layers)]
        repository.write_layers(session, run.id, rows)
        for iteration, its in shares.items():
            spectra = [_spectrum(k, share, lambda_1, positions) for k, share in enumerate(its)]
            repository.write_spectra(session, run.id, iteration, spectra)
        repository.write_metrics(
            session, run.id, [(i, "ap", value) for i, value in (evaluations or {}).items()]
        )
        return run.id


def _spectrum(layer: int, share: float, lambda_1: float, positions: int) -> SpectrumRow:
    used = round(share * WIDTH)
    values = np.where(np.arange(WIDTH) < used, 1.0, 1e-9)
    return SpectrumRow(layer, values, used, float(values.sum()), lambda_1, 8, positions)


def compared(client: TestClient, *runs: int, **asked: Any) -> dict[str, Any]:
    answer = client.get("/api/v1/comparisons", params={"runs": ",".join(map(str, runs)), **asked})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def pair(database: Database, specification: RunSpecification) -> tuple[int, int]:
    pretrained = {0: (0.9, 0.8, 0.7), 50: (0.9, 0.8, 0.7), 100: (0.9, 0.8, 0.6)}
    scratch = {0: (0.3, 0.3, 0.3), 1: (0.1, 0.1, 0.1), 50: (0.8, 0.7, 0.35), 100: (0.8, 0.7, 0.36)}
    return (
        add(database, specification, pretrained, init="imagenet", evaluations={50: 0.2, 100: 0.4}),
        add(database, specification, scratch, evaluations={50: 0.1, 100: 0.395}),
    )


def test_every_fact_of_two_runs(client: TestClient, pair: tuple[int, int]) -> None:
    found = compared(client, *pair)
    spectra = found["spectra"]
    assert spectra["common_layers"] == 3
    assert spectra["ended"]
    first, second = spectra["first"], spectra["second"]
    assert (first["start"], first["end"]) == (pytest.approx(0.8), pytest.approx(2.3 / 3))
    assert (second["start"], second["end"]) == (pytest.approx(0.3), pytest.approx(0.62))
    assert (second["kind"], second["turn_iteration"], second["turn"]) == ("dips", 1, pytest.approx(0.1))
    assert (first["kind"], first["settled_iteration"]) == ("narrows", 100)
    assert second["settled_iteration"] == 50
    assert first["moved"] == pytest.approx(0.1 / 3)
    assert second["moved"] == pytest.approx((0.5 + 0.4 + 0.06) / 3)
    assert second["moved_most"] == "layer1.0"
    assert spectra["apart_at_start"] == pytest.approx(0.5)
    assert spectra["apart_at_end"] == pytest.approx((0.1 + 0.1 + 0.24) / 3)
    assert spectra["apart_most"] == pytest.approx(0.7)
    assert spectra["start_layer"]["layer"] == "layer1.0"
    assert spectra["end_layer"] == {
        "layer": "layer4.0",
        "stage": "layer4",
        "first": pytest.approx(0.6),
        "second": pytest.approx(0.36),
        "few_positions": False,
    }
    assert [(one["stage"], one["layers"]) for one in spectra["stages"]] == [("layer1", 2), ("layer4", 1)]
    assert spectra["stages"][0]["second"] == pytest.approx(0.75)
    assert found["accuracy"]["alike"]
    assert (found["accuracy"]["first"], found["accuracy"]["second"]) == (0.4, 0.395)
    assert found["settings"] == {}
    narrow = {one["run_id"]: one for one in found["narrow"]}
    assert (narrow[pair[0]]["below_half"], narrow[pair[1]]["below_half"]) == (0, 1)
    assert (narrow[pair[1]]["least_layer"], narrow[pair[1]]["least_dimensionality"]) == ("layer4.0", 36)
    assert found["slopes"]["layers"] == 3


@pytest.mark.parametrize(
    ("asked", "threshold", "shares", "narrow"),
    [
        ({}, 1e-3, (0.8, 2.3 / 3, 0.3, 0.62), (0, 1)),
        ({"criterion": "absolute", "threshold": 0.5}, 0.5, (0.8, 2.3 / 3, 0.3, 0.62), (0, 1)),
        ({"criterion": "absolute", "threshold": 1e-10}, 1e-10, (1.0, 1.0, 1.0, 1.0), (0, 0)),
        ({"criterion": "absolute", "threshold": 2.0}, 2.0, (0.0, 0.0, 0.0, 0.0), (3, 3)),
        ({"criterion": "relative"}, 1e-3, (0.8, 2.3 / 3, 0.3, 0.62), (0, 1)),
        # Of k equal eigenvalues half of them hold half of the trace, as long as the rest adds nearly nothing.
        ({"criterion": "variance", "threshold": 0.495}, 0.495, (0.4, 1.15 / 3, 0.15, 0.31), (3, 3)),
        # Of k ones, at λ = 1, each counts one half.
        ({"criterion": "degrees_of_freedom", "threshold": 1.0}, 1.0, (0.4, 1.15 / 3, 0.15, 0.31), (3, 3)),
        ({"criterion": "participation_ratio"}, None, (0.8, 2.3 / 3, 0.3, 0.62), (0, 1)),
    ],
)
def test_dimensions_are_counted_as_asked_for(
    client: TestClient,
    pair: tuple[int, int],
    asked: dict[str, Any],
    threshold: float | None,
    shares: tuple[float, ...],
    narrow: tuple[int, int],
) -> None:
    found = compared(client, *pair, **asked)
    assert (found["criterion"], found["threshold"]) == (asked.get("criterion", "absolute"), threshold)
    assert (found["spectra"]["criterion"], found["spectra"]["threshold"]) == (found["criterion"], threshold)
    courses = (found["spectra"]["first"], found["spectra"]["second"])
    told = [its[end] for its in courses for end in ("start", "end")]
    assert told == pytest.approx(shares, abs=1e-6)
    assert tuple(its["below_half"] for its in found["narrow"]) == narrow
    # Whatever is counted, accuracy and slopes are the same.
    usual = compared(client, *pair)
    assert (found["accuracy"], found["slopes"]) == (usual["accuracy"], usual["slopes"])


def test_rounding_is_looked_for_where_a_level_is_absolute(client: TestClient, pair: tuple[int, int]) -> None:
    low = compared(client, *pair, criterion="absolute", threshold=1e-10)["spectra"]["first"]
    assert (low["unresolved_layers"], low["unresolved_until"]) == (3, 100)
    share = compared(client, *pair, criterion="variance")["spectra"]["first"]
    assert (share["unresolved_layers"], share["unresolved_until"]) == (0, None)


def test_what_counts_no_dimensions_is_refused(client: TestClient, pair: tuple[int, int]) -> None:
    runs = f"{pair[0]},{pair[1]}"
    for asked, words in (
        (
            {"criterion": "power_law"},
            "criterion power_law is a slope, of which no layer has a share; take one of",
        ),
        ({"criterion": "best"}, "there is no criterion 'best'"),
        ({"threshold": -1}, "must be a positive number"),
        ({"criterion": "variance", "threshold": 2}, "is a fraction and must not exceed 1"),
    ):
        answer = client.get("/api/v1/comparisons", params={"runs": runs, **asked})
        assert (answer.status_code, words in answer.json()["detail"]) == (422, True), answer.text


def test_the_pretrained_run_comes_first_and_others_are_passed_over(
    client: TestClient, database: Database, specification: RunSpecification, pair: tuple[int, int]
) -> None:
    another = add(database, specification, {}, init="scratch")
    found = compared(client, another, pair[1], pair[0])
    assert (found["first"]["id"], found["second"]["id"]) == (pair[0], another)
    assert found["spectra"] is None
    assert found["slopes"] is None
    assert found["layers_second"] == 0
    found = compared(client, pair[1], another)
    assert (found["first"]["id"], found["second"]["id"]) == (pair[1], another), "none is pre-trained"


def test_a_longer_training_is_compared_at_the_same_share_of_it(
    client: TestClient, database: Database, specification: RunSpecification
) -> None:
    short = add(
        database,
        specification,
        {0: (0.5,) * 3, 40: (0.6,) * 3},
        iteration=40,
        status="running",
        evaluations={40: 0.1},
    )
    long = add(
        database,
        specification,
        {0: (0.5,) * 3, 80: (0.7,) * 3, 120: (0.8,) * 3, 200: (0.9,) * 3},
        iterations=200,
        iteration=200,
        evaluations={80: 0.3, 200: 0.5},
    )
    found = compared(client, short, long)
    assert found["spectra"]["progress"] == pytest.approx(0.4)
    assert not found["spectra"]["ended"]
    assert found["spectra"]["second"]["end_iteration"] == 80
    assert found["spectra"]["second"]["end"] == pytest.approx(0.7)
    assert (found["accuracy"]["second"], found["accuracy"]["second_iteration"]) == (0.3, 80)


def test_only_layers_of_one_name_are_compared(
    client: TestClient, database: Database, specification: RunSpecification
) -> None:
    one = add(database, specification, {0: (0.5,) * 3})
    other = add(database, specification, {0: (0.2, 0.9)}, layers=("layer4.0", "head.fc"))
    found = compared(client, one, other)
    assert (found["spectra"]["common_layers"], found["layers_first"], found["layers_second"]) == (1, 3, 2)
    assert found["spectra"]["apart_at_end"] == pytest.approx(0.3)
    stranger = add(database, specification, {0: (0.2,)}, layers=("conv",))
    assert compared(client, one, stranger)["spectra"] is None


def test_what_reads_low_or_high_is_counted(
    client: TestClient, database: Database, specification: RunSpecification, pair: tuple[int, int]
) -> None:
    few = add(database, specification, {0: (0.5,) * 3, 100: (0.5,) * 3}, positions=7 * WIDTH)
    found = compared(client, pair[0], few)
    assert found["spectra"]["few_positions"] == 3
    assert found["spectra"]["end_layer"]["few_positions"]
    assert [one["run_id"] for one in found["narrow"]] == [pair[0]], "what reads low is no layer to narrow"
    large = add(database, specification, {0: (0.5,) * 3, 100: (0.5,) * 3}, lambda_1=1e5)
    found = compared(client, pair[0], large)["spectra"]
    assert (found["first"]["unresolved_layers"], found["first"]["unresolved_until"]) == (0, None)
    assert (found["second"]["unresolved_layers"], found["second"]["unresolved_until"]) == (3, 100)


def test_seeds_are_runs_of_one_tag_that_differ_in_nothing_else(
    client: TestClient, database: Database, specification: RunSpecification
) -> None:
    def run(seed: int, accuracy: float, tags: list[str], **training: Any) -> int:
        changed = specification.training.model_copy(update={"seed": seed} | training)
        spec = specification.model_copy(update={"training": changed})
        return add(database, spec, {}, tags=tags, ap=accuracy, evaluations={100: accuracy})

    first, second = run(0, 0.40, ["mine"]), run(1, 0.43, ["mine", "more"])
    run(2, 0.9, ["others"])
    run(3, 0.9, ["mine"], lr=0.5)
    alone = run(4, 0.42, ["mine"], lr=0.25)
    found = compared(client, first, alone)["accuracy"]
    assert found["first_seeds"] == {"run_ids": [first, second], "lowest": 0.40, "highest": 0.43}
    assert found["second_seeds"] is None
    assert found["alike"], "no farther apart than seeds alone are"
    assert compared(client, first, run(5, 0.44, ["mine"], lr=0.3))["accuracy"]["alike"] is False


def test_small_accuracies_are_not_alike_for_being_small(
    client: TestClient, database: Database, specification: RunSpecification
) -> None:
    one, other, third = (
        add(database, specification, {}, evaluations={100: accuracy}) for accuracy in (0.031, 0.040, 0.0315)
    )
    assert not compared(client, one, other)["accuracy"]["alike"]
    assert compared(client, one, third)["accuracy"]["alike"]


def test_an_address_that_names_no_pair_is_refused(client: TestClient, pair: tuple[int, int]) -> None:
    for runs, status, words in (
        ("", 422, "fewer than two"),
        (str(pair[0]), 422, "fewer than two"),
        (f"{pair[0]},{pair[0]}", 422, "fewer than two"),
        ("a,b", 422, "must be ids"),
        (f"{pair[0]},999", 404, "there is no run 999"),
    ):
        answer = client.get("/api/v1/comparisons", params={"runs": runs})
        assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text


def test_no_answer_holds_what_json_has_not(client: TestClient, pair: tuple[int, int]) -> None:
    text = client.get("/api/v1/comparisons", params={"runs": f"{pair[0]},{pair[1]}"}).text
    json.loads(text, parse_constant=pytest.fail)
