"""The order of the data depends on the seed and the iteration, and on nothing else."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch

from backend.datasets.coco import CocoFile
from backend.errors import InvalidInput
from worker.training import sampling
from worker.training.batches import training_batches
from worker.training.data import DetectionSet


def test_every_example_once_an_epoch_across_batch_borders() -> None:
    numbers = [draw.number for t in range(15) for draw in sampling.batch(10, 4, seed=5, iteration=t)]
    for epoch in range(6):
        assert sorted(numbers[10 * epoch : 10 * epoch + 10]) == list(range(10))
    assert numbers[:10] != numbers[10:20]


def test_an_iteration_has_one_batch_whatever_came_before() -> None:
    straight = [sampling.batch(7, 3, 1, t) for t in range(20)]
    torch.manual_seed(99)
    assert [sampling.batch(7, 3, 1, t) for t in reversed(range(20))] == straight[::-1]
    assert [sampling.batch(7, 3, 2, t) for t in range(20)] != straight


def test_half_are_mirrored_and_not_always_the_same() -> None:
    draws = [draw for t in range(500) for draw in sampling.batch(10, 4, 0, t)]
    assert 900 < sum(draw.flip for draw in draws) < 1100
    mirrored = Counter(draw.number for draw in draws if draw.flip)
    assert all(60 < mirrored[number] < 140 for number in range(10))


def test_batches_begin_anywhere_and_leave_the_generators_alone(coco: CocoFile, shapes: Path) -> None:
    examples = DetectionSet(coco, shapes / "images")
    cpu = torch.device("cpu")
    before = torch.get_rng_state()
    straight = list(training_batches(examples, 3, 0, range(6), cpu))
    resumed = list(training_batches(examples, 3, 0, range(4, 6), cpu))
    assert torch.equal(before, torch.get_rng_state())
    for one, other in zip(straight[4:], resumed, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one.images, other.images, strict=True))
        assert all(
            torch.equal(a["boxes"], b["boxes"]) for a, b in zip(one.targets, other.targets, strict=True)
        )


def test_readers_beside_the_process_give_the_same_batches(coco: CocoFile, shapes: Path) -> None:
    here = DetectionSet(coco, shapes / "images")
    beside = DetectionSet(coco, shapes / "images")
    beside.in_memory = False
    cpu = torch.device("cpu")
    for one, other in zip(
        training_batches(here, 2, 0, range(2, 5), cpu),
        training_batches(beside, 2, 0, range(2, 5), cpu),
        strict=True,
    ):
        assert all(torch.equal(a, b) for a, b in zip(one.images, other.images, strict=True))


@pytest.mark.parametrize("in_memory", [True, False])
def test_an_image_that_is_gone_is_named_in_one_sentence(
    coco: CocoFile, tmp_path: Path, in_memory: bool
) -> None:
    examples = DetectionSet(coco, tmp_path)
    examples.in_memory = in_memory
    with pytest.raises(
        InvalidInput, match=r"^image \S+ cannot be read [^\n]*; restore it and resume the run$"
    ):
        next(training_batches(examples, 2, 0, range(3), torch.device("cpu")))
