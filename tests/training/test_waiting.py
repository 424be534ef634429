"""How long training waited for data is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from backend.datasets.coco import CocoFile
from backend.runs.specification import TrainingSpecification
from worker.training.batches import reader_count
from worker.training.data import DetectionSet


def test_the_last_line_tells_how_long_training_waited_for_data(
    make_loop: Callable[..., Any], specification: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    loop, memory = make_loop(specification())
    loop.run()
    shares = [point["data_wait"] for point in memory.points.values() if "data_wait" in point]
    assert (
        caplog.messages[-1] == f"finished: training waited for data {100 * sum(shares) / 6:.1f} % of the time"
    )


@pytest.mark.parametrize("masks", [False, True])
@pytest.mark.parametrize("jitter", [None, 48])
@pytest.mark.parametrize("in_memory", [False, True])
def test_a_gpu_waits_for_no_masks_no_resizing_and_no_file(
    coco: CocoFile, shapes: Any, masks: bool, jitter: int | None, in_memory: bool
) -> None:
    examples = DetectionSet(coco, shapes / "images", masks=masks)
    examples.in_memory = in_memory
    training = TrainingSpecification(image_size=64, image_size_min=jitter)
    beside_a_gpu = reader_count(examples, training, torch.device("cuda"))
    assert (beside_a_gpu > 0) == (masks or jitter is not None or not in_memory)
    assert (reader_count(examples, training, torch.device("cpu")) > 0) == (not in_memory)
    assert (reader_count(examples, None, torch.device("cuda")) > 0) == (not in_memory)
