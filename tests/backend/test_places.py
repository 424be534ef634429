"""A setting in the wrong place is told where it belongs, and every contradiction is told at once."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.runs.specification import RunSpecification


@pytest.mark.parametrize(
    ("part", "name", "meant"),
    [
        ("training", "evaluate_every", "evaluate_every"),
        ("training", "iteration", "training.iterations"),
        ("training", "batchsize", "training.batch_size"),
        ("", "lr", "training.lr"),
        ("", "modle", "model"),
        ("training", "patience", None),
        ("", "colour", None),
    ],
)
def test_an_unknown_field_is_told_what_it_was_meant_to_be(
    client: TestClient, specification: RunSpecification, part: str, name: str, meant: str | None
) -> None:
    body: dict[str, Any] = specification.model_dump(mode="json")
    (body[part] if part else body)[name] = 4
    (said,) = client.post("/api/v1/runs", json=body).json()["fields"]
    assert said["field"] == f"{part}.{name}".lstrip(".")
    hint = f"{meant} is meant, perhaps" if meant else "remove it or mend its name"
    assert said["message"] == f"there is no such field; {hint}"


def test_every_contradiction_stands_at_its_field(client: TestClient, specification: RunSpecification) -> None:
    body = specification.model_dump(mode="json")
    body["training"] |= {"warmup": 900, "image_size_min": 2000, "trainable_stages": 2}
    fields = client.post("/api/v1/runs/preview", json=body).json()["fields"]
    assert [one["field"] for one in fields] == [
        "training.warmup",
        "training.image_size_min",
        "training.trainable_stages",
    ]
