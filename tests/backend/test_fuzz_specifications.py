"""Any JSON as a run specification: what it would cost, or one error in the one shape; never anything else."""

from __future__ import annotations

import json
from typing import Any

from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.drills.input_leaves import LEAVES, changed, places

VALID = {
    "name": "a run",
    "tags": ["a"],
    "dataset_id": 1,
    "model": {"architecture": "retinanet", "backbone": "resnet18", "norm": "batch", "widths": {"layer1": 64}},
    "init": {"kind": "run", "run_id": 1, "iteration": 3},
    "training": {"iterations": 10, "milestones": [5], "warmup": 1, "lr": 0.1, "clip_norm": 1.0, "seed": 1},
    "probe": {"images": 4, "every": 5, "maps": ["act"], "layers": "layer1", "batch_size": 1},
    "evaluate_every": 5,
    "checkpoint_every": 5,
    "checkpoint_keep": ["best"],
    "checkpoint_budget": 1.0,
    "resources": {"gpus": 0, "priority": 0},
}
SCRATCH = {**VALID, "init": {"kind": "scratch"}}
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(LEAVES)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
NAMES = st.sampled_from([*VALID, "widths", "lr", ""])
FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def expect_sense(client: TestClient, specification: Any) -> None:
    body = json.dumps(specification).encode()
    headers = {"content-type": "application/json"}
    answer = client.post("/api/v1/runs/preview", content=body, headers=headers)
    found = answer.json()
    if answer.status_code == 200:
        assert found["parameters"] > 0
    else:
        assert answer.status_code in (400, 422), answer.text
        assert set(found) <= {"error", "detail", "fields"}
        assert found["detail"].strip()


@FEW
@given(specification=st.dictionaries(NAMES, JSON) | JSON)
def test_any_json(client: TestClient, dataset_id: int, specification: Any) -> None:
    expect_sense(client, specification)


@FEW
@given(data=st.data(), start=st.sampled_from([VALID, SCRATCH]))
def test_a_good_one_with_another_value_somewhere(
    client: TestClient, dataset_id: int, data: st.DataObject, start: dict[str, Any]
) -> None:
    place = data.draw(st.sampled_from(list(places(start))))
    expect_sense(client, changed({**start, "dataset_id": dataset_id}, place, data.draw(JSON)))
