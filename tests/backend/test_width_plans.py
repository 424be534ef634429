"""Plans of widths over HTTP: previewed, stored, launched, iterated, judged; and refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.broker import Broker
from backend.database import Database
from backend.models import Run
from backend.runs import service
from backend.runs.specification import RunSpecification
from backend.settings import Settings
from backend.widths import rounds
from backend.widths.comparable import networks_to_measure

API = "/api/v1/width-plans"
SpectraWriter = Callable[..., None]


@pytest.fixture
def run_id(
    database: Database, settings: Settings, specification: RunSpecification, write_spectra: SpectraWriter
) -> int:
    """Return a run whose maps use half of their channels, layer1's all."""
    with database.writing() as session:
        run = service.launch(session, settings, specification.model_copy(update={"name": "source"}))
        run.status, run.ap, run.parameters = "succeeded", 0.30, 1
    write_spectra(run.id, lambda name, width: width if name.startswith("layer1") else width // 2)
    return run.id


def plan(client: TestClient, run_id: int, **changes: Any) -> dict[str, Any]:
    answer = client.post(f"{API}?preview=true", json={"run_id": run_id} | changes)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_preview_stores_nothing(client: TestClient, run_id: int) -> None:
    found = plan(client, run_id)
    totals = found["totals"]
    assert totals["macs_after"] <= totals["macs_before"]
    assert totals["backbone_parameters_ratio"] < 1
    assert sum(stage["macs_after"] for stage in found["stages"]) == totals["macs_after"]
    by_group = {one["group"]: one for one in found["groups"]}
    # Layer1 keeps all its dimensions, layer4 half of them: widths move from late to early stages.
    assert by_group["layer1"]["width"] > 64
    assert by_group["layer4"]["width"] < 512
    assert by_group["layer1"]["layers"] == ["layer1.0", "layer1.1"]
    assert by_group["layer2.0.conv1"]["layers"] == ["layer2.0.act1"]
    assert found["source"]["iteration"] == 100
    assert found["widths"]["fpn"] == 256
    assert client.get(API).json()["total"] == 0


def test_criteria_and_ties_and_averages(
    client: TestClient, write_spectra: SpectraWriter, run_id: int
) -> None:
    other = client.post(
        "/api/v1/runs", json=client.get(f"/api/v1/runs/{run_id}").json()["specification"]
    ).json()["id"]
    write_spectra(other, lambda name, width: width // 4)
    told = {one["group"]: one["dimensionality"] for one in plan(client, run_id, also=[other])["groups"]}
    assert told["layer1"] == 40  # of 64 and 16
    assert told["layer4"] == 192  # of 256 and 128
    relative = plan(client, run_id, criterion="variance", threshold=0.5, tie="mean", iteration=50)
    assert {one["group"]: one["dimensionality"] for one in relative["groups"]}["layer4"] == 129
    assert relative["source"]["threshold"] == 0.5


def test_the_curve_follows_the_threshold(client: TestClient, run_id: int) -> None:
    answer = client.post(f"{API}/curve", json={"run_id": run_id})
    assert answer.status_code == 200, answer.text
    curve = answer.json()
    assert curve["thresholds"][0] == pytest.approx(1e-5)
    assert curve["thresholds"][-1] == pytest.approx(0.1)
    assert all(ratio <= 1 for ratio in curve["macs_ratio"])
    assert (
        client.post(f"{API}/curve", json={"run_id": run_id, "criterion": "stable_rank"}).json()["thresholds"]
        == []
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"iteration": 7}, "logged no spectra at 7; the nearest are 0, 50"),
        ({"budget": 0.001}, "no widths have 0.001 of the original's MACs: the least, 8 channels in every"),
        ({"criterion": "power_law"}, "power_law is a slope and no number of dimensions"),
        ({"criterion": "magic"}, "there is no criterion 'magic'"),
        ({"threshold": 2.0}, "has 0 dimensions by this criterion"),
        (
            {"include": ["mask_head"]},
            "a faster_rcnn has no width group 'mask_head'; take some of fpn, box_head",
        ),
        (
            {"include": ["fpn"]},
            "the spectrum of 'fpn', which the width of 'fpn' is taken from, was not logged",
        ),
        ({"also": [99]}, "there is no run 99"),
        ({"budget": None}, "nothing bounds the widths"),
    ],
)
def test_what_no_plan_follows_from_is_named(
    client: TestClient, run_id: int, changes: dict[str, Any], sentence: str
) -> None:
    answer = client.post(API, json={"run_id": run_id} | changes)
    assert answer.status_code in (404, 422)
    assert sentence in answer.json()["detail"]
    assert client.get(API).json()["total"] == 0


def test_a_run_without_spectra(client: TestClient, specification: RunSpecification) -> None:
    fresh = client.post("/api/v1/runs", json=specification.model_dump(mode="json")).json()["id"]
    answer = client.post(API, json={"run_id": fresh})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_input")
    assert f"run {fresh} has logged no spectra" in answer.json()["detail"]


def test_a_run_whose_settings_no_longer_hold_is_refused(
    client: TestClient, database: Database, run_id: int
) -> None:
    with database.writing() as session:
        run = session.get(Run, run_id)
        assert run is not None
        run.specification = run.specification | {"model": {"norm": "frozen_batch"}}
    answer = client.post(API, json={"run_id": run_id})
    assert answer.status_code == 422
    assert f"the settings of run {run_id} do not hold together any more" in answer.json()["detail"]


def test_a_plan_for_another_network_is_refused(client: TestClient, run_id: int) -> None:
    specification = client.get(f"/api/v1/runs/{run_id}").json()["specification"]
    specification["model"]["backbone"] = "resnet34"
    other = client.post("/api/v1/runs", json=specification).json()["id"]
    answer = client.post(API, json={"run_id": run_id, "also": [other]})
    assert f"run {other} trained another network than run {run_id}" in answer.json()["detail"]


@pytest.fixture
def plan_id(client: TestClient, run_id: int) -> int:
    answer = client.post(API, json={"run_id": run_id})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def test_retraining_is_launched_beside_what_it_is_compared_with(
    client: TestClient, run_id: int, plan_id: int
) -> None:
    request = {"seeds": [3, 4], "baseline": True, "uniform": True}
    launched = client.post(f"{API}/{plan_id}/runs", json=request)
    assert launched.status_code == 201, launched.text
    item = client.get(f"{API}/{plan_id}").json()
    assert [(run["role"], run["seed"]) for run in item["runs"]] == [
        (role, seed) for role in ("selected", "baseline", "uniform") for seed in (3, 4)
    ]
    runs = {run["role"]: client.get(f"/api/v1/runs/{run['run_id']}").json() for run in item["runs"]}
    source = client.get(f"/api/v1/runs/{run_id}").json()["specification"]
    for role, run in runs.items():
        own = run["specification"]
        assert own["init"] == {"kind": "scratch"}
        assert own["training"] == source["training"] | {"seed": 4}
        assert own["model"]["widths"] == {"selected": item["plan"]["widths"], "baseline": None}.get(
            role, own["model"]["widths"]
        )
    uniform = runs["uniform"]["specification"]["model"]["widths"]
    ratios = {uniform[f"layer{stage}"] / width for stage, width in ((1, 64), (2, 128), (3, 256), (4, 512))}
    assert max(ratios) - min(ratios) < 0.13  # all alike, but for the rounding to multiples of 8
    assert client.delete(f"{API}/{plan_id}").status_code == 409


def test_a_norm_that_cannot_be_trained_from_scratch_is_refused_and_nothing_is_queued(
    client: TestClient, database: Database, run_id: int
) -> None:
    with database.writing() as session:
        run = session.get(Run, run_id)
        assert run is not None
        specification = dict(run.specification)
        specification["model"] = specification["model"] | {"norm": "frozen_batch"}
        specification["init"] = {"kind": "imagenet"}
        run.specification = specification
    plan_id = client.post(API, json={"run_id": run_id}).json()["id"]
    before = client.get("/api/v1/runs").json()["total"]
    refused = client.post(f"{API}/{plan_id}/runs", json={"seeds": [0, 1]})
    assert refused.status_code == 422
    assert "frozen_batch cannot be trained from scratch" in refused.json()["detail"]
    assert client.get("/api/v1/runs").json()["total"] == before
    assert client.post(f"{API}/{plan_id}/runs", json={"norm": "group"}).status_code == 201


def test_a_plan_outlives_its_source(client: TestClient, run_id: int, plan_id: int) -> None:
    assert client.delete(f"/api/v1/runs/{run_id}").status_code == 204
    assert client.get(f"{API}/{plan_id}").json()["run_id"] is None
    assert client.post(f"{API}/{plan_id}/runs", json={}).status_code == 201
    assert client.post(API, json={"run_id": run_id}).status_code == 404


def finish(database: Database, run_ids: list[int], **values: Any) -> None:
    with database.writing() as session:
        for run_id in run_ids:
            run = session.get(Run, run_id)
            assert run is not None
            for name, value in values.items():
                setattr(run, name, value)


def test_rounds_go_on_from_what_was_retrained(
    client: TestClient, database: Database, settings: Settings, write_spectra: SpectraWriter, plan_id: int
) -> None:
    (first,) = client.post(f"{API}/{plan_id}/runs", json={"rounds": 2}).json()["run_ids"]

    def advance() -> list[int]:
        with database.writing() as session:
            return rounds.advance(session, settings)

    assert advance() == []
    finish(database, [first], status="succeeded")
    write_spectra(first, lambda _name, width: max(1, width // 2))
    (second,) = advance()
    assert advance() == []
    item = client.get(f"{API}/{plan_id}").json()
    following = client.get(f"{API}/{item['next_plan_id']}").json()
    assert following["previous_plan_id"] == plan_id
    assert following["run_id"] == first
    assert [run["run_id"] for run in following["runs"]] == [second]
    assert following["launch"]["rounds"] == 1
    finish(database, [second], status="succeeded")
    assert advance() == []


def test_more_runs_beside_a_chain_do_not_end_it(client: TestClient, plan_id: int) -> None:
    for rounds_asked, seed in ((3, 0), (1, 1)):
        request = {"rounds": rounds_asked, "seeds": [seed]}
        assert client.post(f"{API}/{plan_id}/runs", json=request).status_code == 201
    assert client.get(f"{API}/{plan_id}").json()["launch"] == {
        "rounds": 3,
        "seeds": [1],
        "baseline": False,
        "uniform": False,
        "norm": None,
    }


def test_a_round_that_cannot_begin_says_why(
    client: TestClient, database: Database, settings: Settings, plan_id: int
) -> None:
    (first,) = client.post(f"{API}/{plan_id}/runs", json={"rounds": 3}).json()["run_ids"]
    finish(database, [first], status="succeeded")
    with database.writing() as session:
        assert rounds.advance(session, settings) == []
    assert f"run {first} has logged no spectra" in client.get(f"{API}/{plan_id}").json()["problem"]


def test_the_result_is_judged_by_the_baselines_spread(
    client: TestClient, database: Database, plan_id: int
) -> None:
    client.post(f"{API}/{plan_id}/runs", json={"seeds": [1, 2], "baseline": True, "norm": "group"})
    runs = client.get(f"{API}/{plan_id}").json()["runs"]
    empty = client.get(f"{API}/{plan_id}/result").json()
    assert empty["verdict"]["accuracy"] is None
    for run, ap in zip(runs, (0.29, 0.31, 0.30, 0.32), strict=True):
        finish(database, [run["run_id"]], status="succeeded", ap=ap)
    found = client.get(f"{API}/{plan_id}/result").json()
    rows = {row["role"]: row for row in found["rows"]}
    assert list(rows) == ["source", "baseline", "selected"]
    assert rows["selected"]["ap"] == {
        "mean": pytest.approx(0.30),
        "deviation": pytest.approx(0.01 * 2**0.5),
        "seeds": 2,
    }
    verdict = found["verdict"]
    assert verdict["difference"] == pytest.approx(-0.01)
    assert verdict["spread"] == pytest.approx(0.01 * 2**0.5)
    assert verdict["accuracy"] is True

    def accuracy() -> bool | None:
        told = client.get(f"{API}/{plan_id}/result").json()["verdict"]["accuracy"]
        assert told in (True, False, None)
        return told  # type: ignore[no-any-return]

    finish(database, [runs[0]["run_id"]], ap=0.20)
    assert accuracy() is None, "its own two seeds lie farther apart than that"
    finish(database, [runs[1]["run_id"]], ap=0.21)
    assert accuracy() is False
    finish(database, [runs[1]["run_id"]], status="failed")
    assert accuracy() is None, "one seed decides nothing"
    finish(database, [runs[1]["run_id"]], status="succeeded")
    # Against a baseline that finds nothing, nothing is shown.
    finish(database, [run["run_id"] for run in runs], ap=0.0)
    assert client.get(f"{API}/{plan_id}/result").json()["verdict"]["accuracy"] is None


def test_a_source_from_scratch_is_the_baseline_of_its_own_seed(
    client: TestClient, database: Database, run_id: int, plan_id: int
) -> None:
    request = {"seeds": [0, 1], "baseline": True}
    ids = client.post(f"{API}/{plan_id}/runs", json=request).json()["run_ids"]
    launched = client.get(f"{API}/{plan_id}").json()["runs"]
    assert [(run["role"], run["seed"]) for run in launched] == [
        ("selected", 0),
        ("selected", 1),
        ("baseline", 1),
    ]
    finish(database, ids, status="succeeded", ap=0.40)
    found = client.get(f"{API}/{plan_id}/result").json()
    rows = {row["role"]: row for row in found["rows"]}
    assert found["source_counts"] is True
    assert rows["baseline"]["run_ids"] == [run_id, ids[2]]
    assert rows["baseline"]["ap"]["mean"] == pytest.approx(0.35)
    assert rows["baseline"]["ap"]["seeds"] == 2


@pytest.mark.parametrize(
    "change",
    [
        {"init": {"kind": "imagenet"}},
        {"training": {"seed": 7}},
        {"model": {"norm": "group"}},
    ],
)
def test_a_source_trained_otherwise_is_no_baseline(
    client: TestClient, database: Database, run_id: int, change: dict[str, Any]
) -> None:
    norm = "batch" if "model" in change else None
    with database.writing() as session:
        run = session.get(Run, run_id)
        assert run is not None
        own = dict(run.specification)
        for part, values in change.items():
            own[part] = values if part == "init" else own[part] | values
        run.specification = own
    plan_id = client.post(API, json={"run_id": run_id}).json()["id"]
    ids = client.post(f"{API}/{plan_id}/runs", json={"baseline": True, "norm": norm}).json()["run_ids"]
    assert len(ids) == 2
    counts = client.get(f"{API}/{plan_id}/result").json()["source_counts"]
    assert counts is (change == {"training": {"seed": 7}}), "as a seed of its own"


def test_the_last_run_measures_all_networks(client: TestClient, database: Database, plan_id: int) -> None:
    request = {"seeds": [1, 2], "baseline": True}
    ids = client.post(f"{API}/{plan_id}/runs", json=request).json()["run_ids"]

    def asked(run_id: int) -> list[str]:
        with database.reading() as session:
            return list(networks_to_measure(session, run_id))

    assert asked(ids[0]) == []
    finish(database, ids[:2], status="failed")
    assert asked(ids[3]) == [], "the third still waits"
    # Trained to its end, but its worker has not yet said that it succeeded.
    finish(database, ids[2:3], status="running", iteration=10**6)
    assert asked(ids[3]) == ["source", "selected", "baseline"]
    assert asked(10**6) == []


def test_launching_rings(client: TestClient, plan_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[int] = []
    monkeypatch.setattr(Broker, "ring", lambda _self, run_id: rung.append(run_id))
    queued = client.post(f"{API}/{plan_id}/runs", json={"seeds": [0, 1]}).json()["run_ids"]
    assert rung == queued
