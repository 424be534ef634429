"""Regular expressions of people: the same answer as Python's own, and never longer than the time allowed."""

from __future__ import annotations

import re
import time

import pytest
from fastapi.testclient import TestClient

from backend.errors import InvalidInput
from backend.runs import patterns
from backend.runs.patterns import holding

NAMES = ["conv1", "layer1.0.act1", "layer1.0", "layer4.1.act2", "fpn.p2", "a" * 200]
CATASTROPHIC = ["(a+)+$", "(a|a)*$", ".*" * 60 + "x", "(|)" * 60 + "x", ".?" * 90 + "x", "(a|aa)+$", "(.*)*x"]


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "layer",
        r"layer1\.\d+$",
        r"^(conv1|fpn\.p2)$",
        r"layer(1|4)\.\d\.act[12]?",
        "(?!layer).*act",
        "a{3,}$",
    ],
)
def test_it_is_what_python_finds(pattern: str) -> None:
    assert holding(pattern, NAMES, "probe.layers") == [name for name in NAMES if re.search(pattern, name)]


@pytest.mark.parametrize("pattern", CATASTROPHIC)
def test_no_expression_stretches_the_time(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 1.0)
    begun = time.monotonic()
    # An end that does not fit makes Python try every way there is.
    with pytest.raises(InvalidInput, match="takes too long to match; repeat nothing that itself repeats"):
        holding(pattern, ["a" * 200 + "!"], "probe.layers")
    assert time.monotonic() - begun < 10


def test_the_server_answers_a_catastrophic_expression(
    client: TestClient, dataset_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 1.0)
    body = {"dataset_id": dataset_id, "probe": {"layers": ".?" * 90 + "x"}}
    answer = client.post("/api/v1/runs/preview", json=body)
    assert answer.status_code == 422
    assert "takes too long to match" in answer.json()["detail"]
