"""COCO's AP of boxes and masks against pycocotools on the same detections."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pycocotools import mask as run_lengths
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from backend.datasets.coco import Category, CocoFile, read_coco
from worker.training.average_precision import average_precision, category_names
from worker.training.detections import Detection, detections

SIDE = 256
CATEGORIES = {3: "bolt", 7: "nut", 90: "washer"}
SUFFIXES = ("", "50", "75", "_small", "_medium", "_large")


def ellipse(box: list[float]) -> NDArray[np.uint8]:
    left, top, width, height = box
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    inside = ((x - left) / width - 0.5) ** 2 + ((y - top) / height - 0.5) ** 2 <= 0.25
    return np.asfortranarray(inside.astype(np.uint8))


def encoded(mask: NDArray[np.uint8]) -> dict[str, Any]:
    found = run_lengths.encode(mask)
    return {"size": [SIDE, SIDE], "counts": found["counts"].decode("ascii")}


def some_box(draw: np.random.Generator) -> list[float]:
    # Logarithmic sides: small, medium and large objects are about as many.
    width, height = np.exp(draw.uniform(np.log(6), np.log(240), 2))
    left, top = draw.uniform(0, SIDE - width), draw.uniform(0, SIDE - height)
    return [float(left), float(top), float(width), float(height)]


def some_truth(draw: np.random.Generator, folder: Path) -> CocoFile:
    """Nine images, two of them without annotations; a tenth of the annotations are crowds."""
    annotations = []
    for number in range(1, 41):
        box = some_box(draw)
        mask = ellipse(box)
        annotations.append(
            {
                "id": number,
                "image_id": int(draw.integers(1, 8)) * 11,
                "category_id": int(draw.choice(list(CATEGORIES), p=(0.6, 0.35, 0.05))),
                "bbox": box,
                "area": float(mask.sum()),
                "iscrowd": int(draw.random() < 0.1),
                "segmentation": encoded(mask),
            }
        )
    content = {
        "images": [
            {"id": 11 * k, "file_name": f"{k}.png", "width": SIDE, "height": SIDE} for k in range(1, 10)
        ],
        "annotations": annotations,
        "categories": [{"id": k, "name": name} for k, name in CATEGORIES.items()],
    }
    path = folder / "truth.json"
    path.write_text(json.dumps(content))
    return read_coco(path)


def some_detections(draw: np.random.Generator, truth: CocoFile) -> list[Detection]:
    """Near the true objects, some of the wrong class; some of nothing; and up to 110 in one image."""
    found: list[Detection] = []

    def add(image_id: int, category_id: int, box: list[float]) -> None:
        box = [*box[:2], max(1.0, box[2]), max(1.0, box[3])]
        score = float(draw.random())
        found.append(
            Detection(
                image_id=image_id,
                category_id=category_id,
                bbox=box,
                score=score,
                segmentation=encoded(ellipse([value + draw.normal(0, 0.5) for value in box])),
            )
        )

    for one in truth.annotations:
        for _ in range(draw.integers(0, 4)):
            box = [value + draw.normal(0, 0.07) * one.bbox[2] for value in one.bbox]
            wrong = draw.random() < 0.2
            add(one.image_id, int(draw.choice(list(CATEGORIES))) if wrong else one.category_id, box)
    for _ in range(110):
        add(11, 3, some_box(draw))
    return found


def by_pycocotools(truth: CocoFile, found: list[Detection], kind: str) -> dict[str, float]:
    left_out = "segmentation" if kind == "bbox" else "bbox"
    results = [{k: v for k, v in copy.deepcopy(one).items() if k != left_out} for one in found]
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO(str(truth.path))
        judge = COCOeval(reference, reference.loadRes(results), kind)
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    precision = judge.eval["precision"][..., 0, -1]
    prefix = "" if kind == "bbox" else "mask_"
    answer = {f"{prefix}ap{suffix}": judge.stats[k] for k, suffix in enumerate(SUFFIXES)}
    for k, name in enumerate(CATEGORIES.values()):
        seen = precision[:, :, k][precision[:, :, k] > -1]
        answer[f"{prefix}ap/{name}"] = seen.mean() if seen.size else -1.0
    return answer


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own
@pytest.mark.parametrize("seed", range(5))
def test_equals_pycocotools(tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    draw = np.random.default_rng(seed)
    truth = some_truth(draw, tmp_path)
    found = some_detections(draw, truth)
    given = copy.deepcopy(found)
    result = average_precision(truth, found, masks=True)
    assert capsys.readouterr().out == ""
    assert found == given
    expected = by_pycocotools(truth, found, "bbox") | by_pycocotools(truth, found, "segm")
    assert list(result) == list(expected)
    for name, value in expected.items():
        assert result[name] == pytest.approx(math.nan if value == -1 else value, abs=1e-6, nan_ok=True), name
    assert 0.05 < result["ap"] < result["ap50"]
    assert 0.05 < result["mask_ap"] != result["ap"]
    assert all(math.isfinite(result[f"mask_ap_{area}"]) for area in ("small", "medium", "large"))
    boxes = {name: value for name, value in result.items() if "mask" not in name}
    assert average_precision(truth, found) == pytest.approx(boxes, nan_ok=True)


def test_finding_nothing_is_zero_and_finding_all_is_one(truth: CocoFile) -> None:
    nothing = average_precision(truth, [])
    assert {nothing[name] for name in ("ap", "ap50", "ap75")} == {0.0}
    exact = [
        Detection(image_id=a.image_id, category_id=a.category_id, bbox=list(a.bbox), score=0.9)
        for a in truth.annotations
    ]
    everything = average_precision(truth, exact)
    assert all(value == pytest.approx(1.0) for value in everything.values() if not math.isnan(value))


def test_nothing_to_find_is_undefined(truth: CocoFile) -> None:
    empty = CocoFile(truth.path, truth.categories, truth.images, ())
    assert all(math.isnan(value) for value in average_precision(empty, [], masks=True).values())


def test_what_is_found_in_a_crowd_without_a_mask_counts_neither_way(tmp_path: Path) -> None:
    truth = some_truth(np.random.default_rng(1), tmp_path)
    first, *others = truth.annotations
    crowd = first._replace(
        iscrowd=True, segmentation=None, image_id=99, bbox=(0, 0, SIDE, SIDE), area=SIDE**2
    )
    with_crowd = CocoFile(truth.path, truth.categories, truth.images, (crowd, *others))
    without = CocoFile(truth.path, truth.categories, truth.images, tuple(others))
    found = [
        Detection(
            image_id=one.image_id,
            category_id=one.category_id,
            bbox=list(one.bbox),
            score=0.5,
            segmentation=encoded(ellipse(list(one.bbox))),
        )
        for one in others
    ]
    within = Detection(
        image_id=99,
        category_id=first.category_id,
        bbox=[10, 10, 50, 50],
        score=0.9,
        segmentation=encoded(ellipse([10, 10, 50, 50])),
    )
    best = average_precision(without, found, masks=True)["mask_ap"]
    assert average_precision(with_crowd, [*found, within], masks=True)["mask_ap"] == pytest.approx(best)
    assert average_precision(without, [*found, within], masks=True)["mask_ap"] < best


def test_categories_have_names_of_their_own() -> None:
    given = [Category(1, "cat"), Category(2, "dog"), Category(5, "cat"), Category(8, "x" * 300)]
    assert category_names(given) == ["cat (1)", "dog", "cat (5)", "x" * 80]


def test_masks_of_an_output_become_run_lengths() -> None:
    probabilities = torch.zeros(2, 1, 5, 7)
    probabilities[0, 0, 1:3, 2:6] = 0.9
    probabilities[1, 0, 4, 0] = 0.51
    probabilities[1, 0, 0, 0] = 0.5
    output = {
        "boxes": torch.tensor([[2.0, 1, 6, 3], [0, 4, 1, 5]]),
        "labels": torch.tensor([1, 2]),
        "scores": torch.tensor([0.75, 0.5]),
        "masks": probabilities,
    }
    first, second = detections(output, 4, {1: 10, 2: 20})
    assert (first["image_id"], first["category_id"], first["bbox"], first["score"]) == (
        4,
        10,
        [2, 1, 4, 2],
        0.75,
    )
    assert first["segmentation"]["size"] == [5, 7]
    for one, mask in zip((first, second), probabilities[:, 0] > 0.5, strict=True):
        decoded = run_lengths.encode(np.asfortranarray(mask.numpy().astype(np.uint8)))
        assert one["segmentation"]["counts"] == decoded["counts"]
    assert (
        "segmentation"
        not in detections({k: v for k, v in output.items() if k != "masks"}, 4, {1: 1, 2: 2})[0]
    )
