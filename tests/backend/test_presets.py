"""Presets are what was published, and scale by the linear rule."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from backend.runs.presets import Preset, presets
from backend.runs.protocols import COCO_IMAGES, NINE, ONE, SIX, THREE, TORCHVISION, TWO, Protocol, scaled
from backend.runs.specification import RunSpecification


def by_name(**scale: int) -> dict[str, Preset]:
    return {one.name: one for one in presets(**scale)}


@pytest.mark.parametrize(
    ("protocol", "iterations", "milestones"),
    [
        (ONE, 90_000, (60_000, 80_000)),
        (TWO, 180_000, (120_000, 160_000)),
        (THREE, 270_000, (210_000, 250_000)),
        (SIX, 540_000, (480_000, 520_000)),
        (NINE, 810_000, (750_000, 790_000)),
        (TORCHVISION, 192_216, (118_287, 162_645)),
    ],
)
def test_as_published(protocol: Protocol, iterations: int, milestones: tuple[int, ...]) -> None:
    found = scaled(protocol)
    assert (found.iterations, found.milestones, found.lr, found.warmup) == (
        iterations,
        milestones,
        0.02,
        1000,
    )


def test_a_quarter_of_the_batch_takes_four_times_as_long_at_a_quarter_of_the_rate() -> None:
    found = scaled(ONE, batch_size=4)
    assert (found.iterations, found.milestones) == (360_000, (240_000, 320_000))
    assert (found.lr, found.warmup) == (0.005, 4000)
    # Detectron2's own configuration of 9x at 64 images.
    large = scaled(NINE, batch_size=64)
    assert (large.iterations, large.milestones, large.lr) == (202_500, (187_500, 197_500), 0.08)


def test_a_small_dataset_is_seen_as_often_and_warmed_up_to_for_a_tenth_at_most() -> None:
    found = scaled(ONE, batch_size=4, images=520)
    assert found.iterations * 4 / 520 == pytest.approx(90_000 * 16 / COCO_IMAGES, rel=1e-3)
    assert found.milestones == (round(found.iterations * 2 / 3), round(found.iterations * 8 / 9))
    assert found.warmup == found.iterations // 10


@pytest.mark.parametrize("scale", [{}, {"images": 1}, {"images": 24, "batch_size": 1024}, {"batch_size": 1}])
def test_every_preset_can_be_launched_at_every_scale(scale: dict[str, int]) -> None:
    for one in presets(**scale):
        RunSpecification.model_validate({"dataset_id": 1, **one.specification})


@pytest.mark.parametrize("pair", [("I", "S"), ("1x-I", "1x-S"), ("2x-I", "2x-S"), ("3x-I", "3x-S")])
def test_pairs_differ_in_their_first_weights_alone(pair: tuple[str, str]) -> None:
    pretrained, scratch = (by_name()[name].specification for name in pair)
    assert {key for key in pretrained if pretrained[key] != scratch[key]} == {"init", "tags"}


def test_what_else_the_protocols_fix() -> None:
    found = {name: one.specification for name, one in by_name().items()}
    assert found["1x"]["model"]["norm"] == found["torchvision"]["model"]["norm"] == "frozen_batch"
    assert found["1x"]["training"]["trainable_stages"] == 3
    assert (found["1x"]["training"]["image_size_min"], found["3x"]["training"]["image_size_min"]) == (
        None,
        640,
    )
    assert {found[f"scratch-{times}x"]["model"]["norm"] for times in (6, 9)} == {"group"}
    assert all(one.source for one in presets() if one.published)


def test_over_http_both_schedules_are_said(client: TestClient, dataset_id: int) -> None:
    images = client.get(f"/api/v1/datasets/{dataset_id}").json()["counts"]["train"]["images"]
    answer = client.get("/api/v1/presets", params={"dataset_id": dataset_id, "batch_size": 8}).json()
    one = next(preset for preset in answer if preset["name"] == "1x")
    assert one["published"].startswith("90,000 iterations of 16 images, rate 0.02, falling at 60,000, 80,000")
    assert one["specification"]["training"]["iterations"] == round(180_000 * images / COCO_IMAGES)
    assert one["specification"]["training"]["lr"] == 0.01
    paper = next(preset for preset in answer if preset["name"] == "I")
    assert (paper["specification"]["training"]["iterations"], paper["scaled"]) == (18_000, "")
    assert client.get("/api/v1/presets", params={"dataset_id": 99}).status_code == 404
