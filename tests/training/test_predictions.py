"""What is kept of an evaluation to be looked at: few images, few points, the best of what was found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faster_coco_eval import mask as run_lengths
from numpy.typing import NDArray

from backend.datasets.coco import CocoFile
from worker.training.data import DetectionSet
from worker.training.detections import Detection
from worker.training.outlines import outlines
from worker.training.predictions import predictions


def filled(polygons: list[list[float]], height: int, width: int) -> NDArray[np.uint8]:
    """Fill polygons by the even-odd rule."""
    mask = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        mask ^= run_lengths.decode(run_lengths.segmToRle([polygon], width, height))
    return mask


def overlap(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_outlines_of_rectangles_only_lose_the_tips_of_their_corners() -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[3:9, 4:21] = 1
    (ring,) = outlines(mask)
    points = np.reshape(ring, (-1, 2))
    assert points.min(0) == pytest.approx([4, 3], abs=0.5)
    assert points.max(0) == pytest.approx([21, 9], abs=0.5)
    assert len(points) <= 8
    mask[5:7, 10:14] = 0
    both = outlines(mask)
    assert [len(one) <= 16 for one in both] == [True, True]
    assert overlap(filled(both, 20, 30), mask) > 0.9


def test_outlines_of_round_and_ragged_masks_have_few_points() -> None:
    y, x = np.mgrid[:300, :400]
    disc = ((x - 150) ** 2 + (y - 140) ** 2 < 70**2).astype(np.uint8)
    ring = outlines(disc)
    assert sum(map(len, ring)) / 2 < 64
    assert overlap(filled(ring, 300, 400), disc) > 0.97
    large = ((x / 2 - 100) ** 2 + (y - 140) ** 2 < 95**2).astype(np.uint8)
    assert overlap(filled(outlines(large), 300, 400), large) > 0.95
    ragged = np.random.default_rng(0).integers(0, 2, (40, 40)).astype(np.uint8)
    assert all(len(polygon) >= 6 for polygon in outlines(ragged))


def test_outlines_of_nothing_and_of_a_pixel() -> None:
    assert outlines(np.zeros((4, 4), np.uint8)) == []
    one = np.zeros((4, 4), np.uint8)
    one[2, 1] = 1
    assert outlines(one) == [[1.5, 2.0, 2.0, 2.5, 1.5, 3.0, 1.0, 2.5]]
    assert len(outlines(np.eye(2, dtype=np.uint8))) == 2


def found_in(truth: CocoFile, each: int, masks: bool) -> list[Detection]:
    found = []
    for number, a in enumerate(truth.annotations):
        image = next(image for image in truth.images if image.id == a.image_id)
        for k in range(each):
            one = Detection(
                image_id=a.image_id,
                category_id=a.category_id,
                bbox=list(a.bbox),
                score=((number * each + k) % 97) / 97,
            )
            if masks:
                one["segmentation"] = run_lengths.segmToRle(a.segmentation, image.width, image.height)
            found.append(one)
    return found


@pytest.mark.parametrize("masks", [False, True])
def test_eight_images_over_the_split_with_the_best_of_each(coco: CocoFile, shapes: Path, masks: bool) -> None:
    examples = DetectionSet(coco, shapes / "images", masks=masks)
    rows = predictions(examples, coco, found_in(coco, 40, masks))
    ids = [examples.entry(number).id for number in range(len(examples))]
    assert [row.image_id for row in rows] == [ids[k] for k in (0, 2, 3, 5, 6, 8, 9, 11)]
    for row in rows:
        data = json.loads(json.dumps(row.data))
        objects = [a for a in coco.by_image[row.image_id] if not a.iscrowd]
        assert [one["category_id"] for one in data["truth"]] == [a.category_id for a in objects]
        assert len(data["found"]) == min(100, 40 * len(objects))
        assert data["objects"] == len(objects)
        scores = [one["score"] for one in data["found"]]
        assert scores == sorted(scores, reverse=True)
        for one in data["truth"] + data["found"]:
            assert ("outlines" in one) == masks
        if masks:
            left, top, width, height = data["truth"][0]["bbox"]
            points = np.concatenate([np.reshape(ring, (-1, 2)) for ring in data["truth"][0]["outlines"]])
            assert points.min(0) == pytest.approx([left, top], abs=2)
            assert points.max(0) == pytest.approx([left + width, top + height], abs=2)


def test_a_short_split_is_kept_whole(truth: CocoFile, shapes: Path) -> None:
    rows = predictions(DetectionSet(truth, shapes / "images"), truth, [])
    assert [row.image_id for row in rows] == sorted(image.id for image in truth.images)
    assert all(row.data["found"] == [] for row in rows)


def test_the_loop_tells_predictions_at_each_evaluation(
    make_loop: Callable[..., Any], specification: Callable[..., Any]
) -> None:
    loop, memory = make_loop(specification(evaluate_every=4))
    loop.run()
    assert sorted(memory.predicted) == [4, 6]
    assert len(memory.predicted[6]) == 5
    assert any(row.data["found"] for row in memory.predicted[6])
