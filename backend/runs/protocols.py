"""Training schedules as others have published them, and how they are scaled to a batch and a dataset.

All are stated for COCO's train2017 and 16 images an update at a rate of 0.02. Another batch of B images scales by the
linear rule (Goyal et al. 2017, §2.1): the rate by B / 16, iterations, milestones and warm-up by 16 / B, so that as many
images are seen. Another dataset of n images has iterations and milestones scaled by n / 118,287: as many epochs. The
warm-up is a matter of stability and not of epochs, so it does not shrink with the dataset, but takes a tenth of the
training at most.
"""

from __future__ import annotations

from dataclasses import dataclass

COCO_IMAGES = 118_287
"""Of train2017."""
REFERENCE_BATCH = 16
REFERENCE_RATE = 0.02
LONGEST_WARMUP = 0.1
"""Of the iterations."""


@dataclass(frozen=True)
class Protocol:
    """A schedule for COCO at 16 images an update: `iterations`, the rate's `milestones`, `warmup` iterations."""

    name: str
    title: str
    iterations: int
    milestones: tuple[int, ...]
    warmup: int
    source: str
    """Where it is from, in words."""
    image_size_min: int | None = None


@dataclass(frozen=True)
class Schedule:
    """A protocol at a batch size, for a dataset."""

    iterations: int
    milestones: tuple[int, ...]
    warmup: int
    lr: float
    batch_size: int

    def __str__(self) -> str:
        falls = ", ".join(f"{milestone:,}" for milestone in self.milestones)
        return f"{self.iterations:,} iterations of {self.batch_size} images, rate {self.lr:g}, falling at {falls}"


def scaled(protocol: Protocol, batch_size: int = REFERENCE_BATCH, images: int = COCO_IMAGES) -> Schedule:
    """Return the protocol for batches of `batch_size` and a dataset of `images` training images, as the module says."""
    by_batch = REFERENCE_BATCH / batch_size
    factor = by_batch * images / COCO_IMAGES
    iterations = max(1, round(protocol.iterations * factor))
    milestones = {max(1, round(milestone * factor)) for milestone in protocol.milestones}
    return Schedule(
        iterations=iterations,
        milestones=tuple(sorted(milestone for milestone in milestones if milestone < iterations)),
        warmup=min(round(protocol.warmup * by_batch), int(iterations * LONGEST_WARMUP)),
        lr=round(REFERENCE_RATE / by_batch, 8),
        batch_size=batch_size,
    )


def _epochs(number: int) -> int:
    """Return so many epochs of COCO in iterations."""
    return round(number * COCO_IMAGES / REFERENCE_BATCH)


def _from_scratch(times: int) -> Protocol:
    whole = 90_000 * times
    return Protocol(
        f"{times}x",
        f"{times}x",
        whole,
        (whole - 60_000, whole - 20_000),
        1000,
        f"He, Girshick and Dollár 2019, Rethinking ImageNet Pre-training, §4.1: {times} times the 90,000 iterations of "
        "1x, the rate falling for the last 60,000 and the last 20,000 whatever the length; group norm, nothing frozen.",
    )


TORCHVISION = Protocol(
    "torchvision",
    "torchvision",
    _epochs(26),
    (_epochs(16), _epochs(22)),
    1000,
    "torchvision's reference training of detectors: 26 epochs, the rate falling after 16 and 22, at 8 GPUs x 2 images; "
    "the rate rises over the first 1,000 iterations.",
)
ONE = Protocol(
    "1x",
    "1x",
    90_000,
    (60_000, 80_000),
    1000,
    "Detectron2's and MMDetection's 1x: 90,000 iterations (about 12 epochs), the rate falling at 60,000 and 80,000; "
    "the rate rises over 1,000 (MMDetection: 500). Detectron2 also draws the shorter side from 640 to 800.",
)
TWO = Protocol(
    "2x",
    "2x",
    180_000,
    (120_000, 160_000),
    1000,
    "Detectron's and MMDetection's 2x: 180,000 iterations (about 24 epochs), the rate falling at 120,000 and 160,000.",
)
THREE = Protocol(
    "3x",
    "3x",
    270_000,
    (210_000, 250_000),
    1000,
    "Detectron2's 3x: 270,000 iterations (about 37 epochs), the rate falling at 210,000 and 250,000, the shorter side "
    "drawn from 640 to 800.",
    image_size_min=640,
)
SIX, NINE = _from_scratch(6), _from_scratch(9)
