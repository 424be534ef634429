"""The form follows the specification's schema."""

from __future__ import annotations

from typing import Any

from backend.runs.specification import RunSpecification
from frontend.form import FormField, form_groups
from frontend.settings_table import compared_settings, comparison_warning, flat_settings


def fields(values: dict[str, Any] | None = None) -> dict[str, FormField]:
    groups = form_groups(RunSpecification.model_json_schema(), values or {})
    return {field.path: field for group in groups for field in group.fields}


def test_every_field_of_the_specification_has_a_control() -> None:
    complete = RunSpecification(dataset_id=1).model_dump(mode="json")
    expected = {
        f"{part}.{name}" if isinstance(value, dict) else part
        for part, value in complete.items()
        if part not in ("dataset_id", "init")
        for name in (value if isinstance(value, dict) else [part])
    }
    assert set(fields()) == expected


def test_kinds_follow_the_types() -> None:
    found = fields()
    assert found["training.iterations"].kind == "integer"
    assert found["training.lr"].kind == "number"
    assert found["model.stride_in_1x1"].kind == "boolean"
    assert found["model.backbone"].options == ("resnet18", "resnet34", "resnet50", "resnet101")
    assert (found["training.milestones"].kind, found["training.milestones"].item) == ("list", "integer")
    assert (found["model.widths"].kind, found["model.widths"].item) == ("map", "integer")
    assert found["probe.maps"].kind == "choices"
    assert found["training.clip_norm"].nullable


def test_every_field_is_described() -> None:
    assert [path for path, field in fields().items() if not field.description] == []


def test_values_are_shown_as_typed() -> None:
    found = fields({"training": {"milestones": [800, 1100], "lr": 0.02}, "model": {"widths": {"fpn": 128}}})
    assert found["training.milestones"].text == "800, 1100"
    assert found["training.lr"].text == "0.02"
    assert found["training.lr"].changed
    assert found["model.widths"].text == "fpn=128"
    assert not found["training.seed"].changed


def test_settings_are_compared_by_name() -> None:
    one = RunSpecification(dataset_id=1).model_dump(mode="json")
    other = RunSpecification.model_validate(
        {"dataset_id": 1, "init": {"kind": "imagenet"}, "training": {"lr": 0.1, "seed": 3}}
    ).model_dump(mode="json")
    differing = {row.name: row.settings for row in compared_settings([one, other]) if row.differs}
    assert differing == {
        "init.kind": ("scratch", "imagenet"),
        "training.lr": ("0.005", "0.1"),
        "training.seed": ("0", "3"),
    }
    assert comparison_warning([one, other]) == (
        "These runs also differ in schedule and seed: what parts them is not the initialisation alone."
    )
    assert comparison_warning([one, one]) is None
    assert flat_settings(one)["probe.maps"].startswith("act, block")


def test_a_number_is_shown_without_loss() -> None:
    rate = 0.0123456789012
    assert float(fields({"training": {"lr": rate}})["training.lr"].text) == rate
    assert fields()["training.weight_decay"].text == "0.0001"


def test_a_default_that_follows_another_field_is_left_open() -> None:
    open_field, given = fields()["training.warmup"], fields({"training": {"warmup": 100}})["training.warmup"]
    assert (open_field.text, given.text) == ("", "100")
    assert "a tenth of a short training" in open_field.placeholder
