"""The order of the data depends on the seed and the iteration, and on nothing else."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from backend.datasets.coco import CocoFile
from backend.errors import InvalidInput
from backend.runs.specification import TrainingSpecification
from worker.training.batches import training_batches
from worker.training.data import DetectionSet
from worker.training.sampling import Order

CPU = torch.device("cpu")


def training(batch_size: int, seed: int = 0, **settings: Any) -> TrainingSpecification:
    return TrainingSpecification(batch_size=batch_size, seed=seed, **settings)


def order(count: int, batch_size: int, seed: int = 0, **settings: Any) -> Order:
    return Order([False] * count, training(batch_size, seed, **settings))


def numbers_of(one: Order, iterations: range) -> list[list[int]]:
    return [[draw.number for draw in one.batch(t)] for t in iterations]


def test_every_example_once_an_epoch_across_batch_borders() -> None:
    numbers = [number for batch in numbers_of(order(10, 4, seed=5), range(15)) for number in batch]
    for epoch in range(6):
        assert sorted(numbers[10 * epoch : 10 * epoch + 10]) == list(range(10))
    assert numbers[:10] != numbers[10:20]


def test_one_group_keeps_the_order_that_it_always_had() -> None:
    draws = [draw for t in range(2) for draw in order(7, 3, seed=2).batch(t)]
    expected = np.random.default_rng((2, 0, 0)).permutation(7)[:6]
    assert [draw.number for draw in draws] == expected.tolist()
    flips = [np.random.SeedSequence((2, 1, position)).generate_state(1)[0] & 1 for position in range(6)]
    assert [draw.view.flip for draw in draws] == [bool(flip) for flip in flips]
    assert all(draw.view.side is None for draw in draws)


def test_an_iteration_has_one_batch_whatever_came_before() -> None:
    upright = [number % 3 == 0 for number in range(23)]
    one = Order(upright, training(3, 1, image_size=128, image_size_min=96))
    straight = [one.batch(t) for t in range(40)]
    torch.manual_seed(99)
    again = Order(upright, training(3, 1, image_size=128, image_size_min=96))
    assert [again.batch(t) for t in reversed(range(40))] == straight[::-1]
    other = Order(upright, training(3, 2, image_size=128, image_size_min=96))
    assert [other.batch(t) for t in range(40)] != straight


@pytest.mark.parametrize(("count", "upright", "size"), [(40, 10, 4), (37, 13, 4), (50, 3, 3), (12, 6, 5)])
def test_a_batch_holds_one_kind_and_each_kind_has_whole_epochs(count: int, upright: int, size: int) -> None:
    kinds = [number < upright for number in range(count)]
    batches = numbers_of(Order(kinds, training(size, seed=3)), range(12 * count))
    for kind, members in ((True, upright), (False, count - upright)):
        assert all(len({kinds[number] for number in batch}) == 1 for batch in batches)
        walked = [number for batch in batches for number in batch if kinds[number] == kind]
        for epoch in range(len(walked) // members):
            part = walked[epoch * members : (epoch + 1) * members]
            assert sorted(part) == [number for number in range(count) if kinds[number] == kind]


def test_groups_are_equally_far_in_their_epochs() -> None:
    count, upright, size = 37, 13, 4
    one = Order([number < upright for number in range(count)], training(size))
    had = 0
    for t in range(400):
        had += one.batch(t)[0].number < upright
        assert abs(had - (t + 1) * upright / count) < 1


def test_too_few_of_a_kind_are_mixed_with_the_others() -> None:
    kinds = [number < 3 for number in range(20)]
    settings = training(4, seed=6)
    assert numbers_of(Order(kinds, settings), range(9)) == numbers_of(order(20, 4, seed=6), range(9))
    assert numbers_of(
        Order([n < 10 for n in range(20)], training(4, 6, group_by_aspect=False)), range(9)
    ) == numbers_of(order(20, 4, seed=6), range(9))


def test_half_are_mirrored_and_not_always_the_same() -> None:
    draws = [draw for t in range(500) for draw in order(10, 4).batch(t)]
    assert 900 < sum(draw.view.flip for draw in draws) < 1100
    mirrored = Counter(draw.number for draw in draws if draw.view.flip)
    assert all(60 < mirrored[number] < 140 for number in range(10))
    assert not any(draw.view.flip for t in range(50) for draw in order(10, 4, flip=False).batch(t))


def test_sides_are_drawn_evenly_between_their_bounds() -> None:
    one = order(10, 4, image_size=70, image_size_min=61)
    sides = Counter(draw.view.side for t in range(1000) for draw in one.batch(t))
    assert sorted(sides) == list(range(61, 71))
    assert all(300 < number < 500 for number in sides.values())


def test_a_batch_of_coco_costs_next_to_nothing() -> None:
    drawn = np.random.default_rng(0).random(118_287) < 0.25
    one = Order(drawn.tolist(), training(16))
    began = time.process_time()
    for t in range(0, 90_000, 900):
        one.batch(t)
    # Each of the hundred lies in an epoch of its own or nearly so, where a permutation is due.
    assert (time.process_time() - began) / 100 < 0.05


def test_batches_begin_anywhere_and_leave_the_generators_alone(coco: CocoFile, shapes: Path) -> None:
    examples = DetectionSet(coco, shapes / "images")
    before = torch.get_rng_state()
    straight = list(training_batches(examples, training(3), range(6), CPU))
    resumed = list(training_batches(examples, training(3), range(4, 6), CPU))
    assert torch.equal(before, torch.get_rng_state())
    for one, other in zip(straight[4:], resumed, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one.images, other.images, strict=True))
        assert all(
            torch.equal(a["boxes"], b["boxes"]) for a, b in zip(one.targets, other.targets, strict=True)
        )


def test_readers_beside_the_process_give_the_same_batches(coco: CocoFile, shapes: Path) -> None:
    settings = training(2, image_size=64, image_size_min=48)
    here = DetectionSet(coco, shapes / "images", masks=True, longest=100)
    beside = DetectionSet(coco, shapes / "images", masks=True, longest=100)
    beside.in_memory = False
    for one, other in zip(
        training_batches(here, settings, range(2, 5), CPU),
        training_batches(beside, settings, range(2, 5), CPU),
        strict=True,
    ):
        assert all(torch.equal(a, b) for a, b in zip(one.images, other.images, strict=True))
        for a, b in zip(one.targets, other.targets, strict=True):
            assert a["masks"].dtype == torch.uint8
            assert torch.equal(a["masks"], b["masks"])


def test_shares_of_a_batch_are_the_batch(coco: CocoFile, shapes: Path) -> None:
    examples = DetectionSet(coco, shapes / "images")
    (whole,) = training_batches(examples, training(4), range(1, 2), CPU)
    parts = [
        image
        for share in (slice(0, 2), slice(2, 4))
        for batch in training_batches(examples, training(4), range(1, 2), CPU, share)
        for image in batch.images
    ]
    assert all(torch.equal(a, b) for a, b in zip(whole.images, parts, strict=True))


@pytest.mark.parametrize("in_memory", [True, False])
def test_an_image_that_is_gone_is_named_in_one_sentence(
    coco: CocoFile, tmp_path: Path, in_memory: bool
) -> None:
    examples = DetectionSet(coco, tmp_path)
    examples.in_memory = in_memory
    with pytest.raises(
        InvalidInput, match=r"^image \S+ cannot be read [^\n]*; restore it and resume the run$"
    ):
        next(training_batches(examples, training(2), range(3), CPU))
