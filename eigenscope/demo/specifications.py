"""What the demo trains: sizes that two CPU cores carry in a few minutes."""

from __future__ import annotations

from backend.runs.demonstration import PRETRAINED, PRETRAINING, SCRATCH, TAG
from backend.runs.specification import (
    Init,
    ModelSpecification,
    ProbeSpecification,
    RunInit,
    RunSpecification,
    ScratchInit,
    TrainingSpecification,
)

BACKBONE = "resnet18"
NORM = "group"


def classifier(dataset_id: int) -> RunSpecification:
    """Return the pre-training: a classifier of the objects, cut out one by one."""
    return RunSpecification(
        name="Pre-training: ResNet-18 classifier",
        tags=(TAG, PRETRAINING),
        dataset_id=dataset_id,
        model=ModelSpecification(architecture="classifier", backbone=BACKBONE, norm=NORM),
        init=ScratchInit(),
        training=TrainingSpecification(
            iterations=140, batch_size=32, lr=0.02, warmup=20, milestones=(115,), image_size=64, clip_norm=5.0
        ),
        probe=ProbeSpecification(images=32, every=50, batch_size=16),
    )


def detector(dataset_id: int, init: Init, name: str, tag: str) -> RunSpecification:
    """Return one detector of the comparison; the two differ in `init`, name and tag alone."""
    return RunSpecification(
        name=name,
        tags=(TAG, tag),
        dataset_id=dataset_id,
        model=ModelSpecification(
            architecture="faster_rcnn", backbone=BACKBONE, norm=NORM, widths={"fpn": 64, "box_head": 256}
        ),
        init=init,
        training=TrainingSpecification(
            iterations=200, batch_size=2, lr=0.02, warmup=20, milestones=(165,), image_size=128, clip_norm=5.0
        ),
        # Without the box head: a thousand proposals an image would take longer than the rest together.
        probe=ProbeSpecification(images=32, every=50, maps=("act", "block", "fpn", "rpn"), batch_size=8),
    )


def width_source(dataset_id: int) -> RunSpecification:
    """Return the detector whose spectra choose the widths: like S, trained long enough for its AP to say something."""
    return RunSpecification(
        name="Faster R-CNN",
        tags=(TAG, "widths"),
        dataset_id=dataset_id,
        model=ModelSpecification(
            architecture="faster_rcnn", backbone=BACKBONE, norm=NORM, widths={"fpn": 64, "box_head": 256}
        ),
        init=ScratchInit(),
        training=TrainingSpecification(
            iterations=400, batch_size=4, lr=0.02, warmup=20, milestones=(340,), image_size=128, clip_norm=5.0
        ),
        probe=ProbeSpecification(images=256, every=400, maps=("act", "block"), batch_size=32),
    )


def pretrained(dataset_id: int, run_id: int) -> RunSpecification:
    """Return I: the detector that starts from run `run_id`'s weights."""
    return detector(dataset_id, RunInit(run_id=run_id), "I: Faster R-CNN, pre-trained", PRETRAINED)


def scratch(dataset_id: int) -> RunSpecification:
    """Return S: the same detector from random weights."""
    return detector(dataset_id, ScratchInit(), "S: Faster R-CNN, from scratch", SCRATCH)
