"""How training shows an example: what torchvision would show, with boxes and masks that follow; and crops."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Picture
from pydantic import ValidationError
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from backend.datasets.annotations import Annotation
from backend.datasets.coco import CocoFile, read_coco
from backend.runs.specification import RunSpecification, longest_side
from worker.training.crops import Window, cut, square_around, window_within
from worker.training.data import CropSet, DetectionSet
from worker.training.examples import Example, View, resized
from worker.training.sampling import Order


def example(height: int, width: int, seed: int = 0) -> Example:
    draw = torch.Generator().manual_seed(seed)
    image = torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=draw)
    corners = torch.rand((2, 2), generator=draw) * 0.5
    boxes = torch.cat([corners, corners + 0.5], 1) * torch.tensor([width, height]).repeat(2)
    masks = torch.randint(0, 2, (2, height, width), dtype=torch.uint8, generator=draw)
    return Example(image, {"boxes": boxes, "labels": torch.tensor([1, 2]), "masks": masks})


@pytest.mark.parametrize(
    ("height", "width", "shorter"), [(48, 64, 100), (97, 61, 40), (50, 200, 80), (64, 64, 64)]
)
def test_resizing_is_what_the_detector_does_itself(height: int, width: int, shorter: int) -> None:
    given, longest = example(height, width), 133
    mine = resized(given, shorter, longest)
    theirs = GeneralizedRCNNTransform(shorter, longest, [0.0] * 3, [1.0] * 3).eval()
    image, target = theirs.resize(given.image.float(), dict(given.target))
    assert mine.image.dtype == torch.uint8
    assert mine.image.shape == image.shape
    assert (mine.image.float() - image).abs().max() <= 1.01
    assert torch.allclose(mine.target["boxes"], target["boxes"], atol=1e-4)
    assert torch.equal(mine.target["masks"], target["masks"])
    assert torch.equal(given.target["boxes"], example(height, width).target["boxes"])


def test_the_network_sees_the_drawn_sizes_in_training_and_its_own_in_evaluation(
    make_loop: Callable[..., Any], specification: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = specification(
        training={"image_size": 96, "image_size_min": 40, "iterations": 4, "warmup": 1, "batch_size": 3}
    )
    loop, memory = make_loop(wanted)
    seen: dict[bool, list[int]] = {True: [], False: []}
    resize = GeneralizedRCNNTransform.resize

    def watched(self: Any, image: torch.Tensor, target: Any = None) -> Any:
        answer = resize(self, image, target)
        seen[self.training].append(min(answer[0].shape[-2:]))
        return answer

    monkeypatch.setattr(GeneralizedRCNNTransform, "resize", watched)
    loop.run()
    drawn = Order(loop._parts.training.upright, wanted.training)
    order = [draw.view.side for t in range(4) for draw in drawn.batch(t)]
    assert seen[True] == order
    assert len(set(order)) > 3
    assert set(seen[False]) == {96}
    assert "ap" in memory.points[4]


def test_jitter_draws_nothing_from_global_generators(
    make_loop: Callable[..., Any], specification: Callable[..., Any]
) -> None:
    wanted = specification(training={"image_size": 64, "image_size_min": 40})
    losses = []
    for folder, noise in (("one", 0), ("other", 5)):
        loop, memory = make_loop(wanted, folder)
        np.random.rand(noise)
        loop.run()
        losses.append(memory.losses())
    assert losses[0] == losses[1]


def test_the_smallest_side_may_not_exceed_the_largest() -> None:
    with pytest.raises(ValidationError, match=r"image_size_min \(80\) exceeds training.image_size \(64\)"):
        RunSpecification.model_validate(
            {"dataset_id": 1, "training": {"image_size": 64, "image_size_min": 80}}
        )


def test_the_longest_side_is_torchvisions() -> None:
    assert (longest_side(800), longest_side(256)) == (1333, 427)


def test_a_detection_set_resizes_and_mirrors(coco: CocoFile, shapes: Path) -> None:
    examples = DetectionSet(coco, shapes / "images", masks=True, longest=400)
    plain, shown = examples.read(0), examples.read(0, View(flip=True, side=128))
    assert shown.image.shape[-2:] == (128, 128)
    assert shown.target["masks"].shape == (len(plain.target["boxes"]), 128, 128)
    x0, y0, x1, y1 = (2 * plain.target["boxes"]).unbind(1)
    assert torch.allclose(shown.target["boxes"], torch.stack([128 - x1, y0, 128 - x0, y1], 1), atol=1e-4)
    for mask, box in zip(shown.target["masks"], shown.target["boxes"], strict=True):
        where = mask.nonzero()
        assert (where[:, 1].min() - box[0]).abs() <= 3
        assert (where[:, 1].max() + 1 - box[2]).abs() <= 3


def whole(width: int, height: int) -> Annotation:
    return Annotation(1, 1, 1, (0, 0, width, height), width * height, False, None)


def test_a_box_of_the_whole_image_gives_its_centre() -> None:
    assert square_around(whole(30, 20), 20, 30) == Window(5, 0, 20)
    assert square_around(whole(20, 33), 33, 20) == Window(0, 6, 20)
    image = torch.arange(30, dtype=torch.uint8).expand(3, 20, 30)
    assert cut(image, Window(5, 0, 20), 20)[0, 0].tolist() == list(range(5, 25))


def test_smaller_windows_lie_within() -> None:
    window = Window(10, 4, 40)
    assert window_within(window, 1.0, (0.3, 0.9)) == window
    assert window_within(window, 0.5, (0.0, 1.0)) == Window(10, 24, 20)
    for place in np.random.default_rng(0).random((20, 2)):
        left, top, side = window_within(window, 0.63, (place[0], place[1]))
        assert 10 <= left <= 50 - side
        assert 4 <= top <= 44 - side


def test_crops_jitter_in_scale_and_keep_their_size(tmp_path: Path) -> None:
    Picture.fromarray(np.arange(40 * 60, dtype=np.uint8).reshape(40, 60)).save(tmp_path / "a.png")
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 60, "height": 40}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 60, 40]}],
        "categories": [{"id": 1, "name": "grey"}],
    }
    (tmp_path / "c.json").write_text(json.dumps(content))
    crops = CropSet(read_coco(tmp_path / "c.json"), tmp_path, 40)
    plain = crops.read(0).image
    corner = crops.read(0, View(side=20, place=(0.0, 0.0))).image
    assert corner.shape == plain.shape == (3, 40, 40)
    assert corner[0, 0, 0] == plain[0, 0, 0]
    assert not torch.equal(corner, plain)
    assert crops.read(0).target["label"].item() == 0
