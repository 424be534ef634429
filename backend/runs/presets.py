"""Ready-made specifications: the paper's comparison, and the protocols that others have published."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from backend.runs.protocols import (
    COCO_IMAGES,
    NINE,
    ONE,
    REFERENCE_BATCH,
    SIX,
    THREE,
    TORCHVISION,
    TWO,
    Protocol,
    Schedule,
    scaled,
)
from backend.runs.specification import (
    Architecture,
    ImageNetInit,
    ModelSpecification,
    Norm,
    ProbeSpecification,
    RunSpecification,
    ScratchInit,
    TrainingSpecification,
)

PAPER, PUBLISHED, COMPARED, SCRATCH = (
    "The paper's comparison",
    "As published, pre-trained",
    "The same schedules as pairs",
    "From scratch",
)
"""The groups of presets, in the order of the form."""
SNAPSHOTS, EVALUATIONS, CHECKPOINTS = 18, 6, 18
"""How many of a run's length a protocol takes, beside the early snapshots."""


class Preset(BaseModel):
    """A named specification without its dataset.

    `published` and `scaled` say a protocol's schedule in words, for COCO at 16 images an update and as the
    specification has it; both are empty where the preset is taken as it is.
    """

    name: str
    group: str
    label: str
    description: str
    source: str = ""
    published: str = ""
    scaled: str = ""
    pair: str = ""
    """The name of the two presets of a comparison together, which `/new` takes too."""
    specification: dict[str, Any]


def presets(images: int = COCO_IMAGES, batch_size: int = REFERENCE_BATCH) -> list[Preset]:
    """Return the presets in the order of the form, protocols scaled to a dataset and a batch (`runs.protocols`)."""
    protocols = (ONE, TWO, THREE)
    return [
        *_paper(),
        *(_published(protocol, images, batch_size) for protocol in (TORCHVISION, *protocols)),
        *(one for protocol in protocols for one in _compared(protocol, images, batch_size)),
        *(_from_scratch(protocol, images, batch_size) for protocol in (SIX, NINE)),
    ]


def _paper() -> list[Preset]:
    training = TrainingSpecification(
        iterations=18_000, batch_size=8, lr=0.01, warmup=500, milestones=(12_000, 16_000), clip_norm=10.0
    )

    def specification(init: ImageNetInit | ScratchInit, tag: str) -> dict[str, Any]:
        return _without_dataset(
            RunSpecification(
                tags=(tag,),
                dataset_id=1,
                model=ModelSpecification(backbone="resnet50", norm="batch"),
                init=init,
                training=training,
                probe=ProbeSpecification(images=64, every=1000),
                evaluate_every=6000,
                checkpoint_every=2000,
            )
        )

    shared = "Norm, trainable stages, data order and schedule are those of its counterpart."
    return [
        Preset(
            name="I",
            group=PAPER,
            label="I: pre-trained",
            description=f"Faster R-CNN with FPN, fine-tuned from ImageNet weights. {shared}",
            pair="both",
            specification=specification(ImageNetInit(), "I"),
        ),
        Preset(
            name="S",
            group=PAPER,
            label="S: from scratch",
            description=f"The same detector from random weights. {shared}",
            pair="both",
            specification=specification(ScratchInit(), "S"),
        ),
    ]


def _published(protocol: Protocol, images: int, batch_size: int) -> Preset:
    return _preset(
        protocol,
        images,
        batch_size,
        name=protocol.name,
        group=PUBLISHED,
        label=protocol.title,
        description="Faster R-CNN with FPN from ImageNet weights, frozen batch norm, stem and layer1 frozen: to repeat "
        "published numbers. Not half of a comparison, since a scratch run cannot share its norm.",
        norm="frozen_batch",
        init=ImageNetInit(),
        trainable_stages=3,
    )


def _compared(protocol: Protocol, images: int, batch_size: int) -> list[Preset]:
    inits = (("I", "pre-trained", ImageNetInit()), ("S", "from scratch", ScratchInit()))
    return [
        _preset(
            protocol,
            images,
            batch_size,
            name=f"{protocol.name}-{tag}",
            group=COMPARED,
            label=f"{protocol.title} {tag}",
            description=f"Faster R-CNN with FPN, {words}, batch norm, all stages trained, like its counterpart.",
            pair=f"{protocol.name}-both",
            tag=tag,
            norm="batch",
            init=init,
        )
        for tag, words, init in inits
    ]


def _from_scratch(protocol: Protocol, images: int, batch_size: int) -> Preset:
    return _preset(
        protocol,
        images,
        batch_size,
        name=f"scratch-{protocol.name}",
        group=SCRATCH,
        label=f"Scratch {protocol.title}",
        description="Mask R-CNN with FPN and group norm from random weights, as long as it takes to reach "
        "what is pre-trained. Needs a dataset with masks; or take faster_rcnn.",
        tag="S",
        architecture="mask_rcnn",
        norm="group",
        init=ScratchInit(),
    )


def _preset(
    protocol: Protocol,
    images: int,
    batch_size: int,
    *,
    norm: Norm,
    init: ImageNetInit | ScratchInit,
    tag: str = "",
    architecture: Architecture = "faster_rcnn",
    trainable_stages: int = 5,
    **words: str,
) -> Preset:
    schedule = scaled(protocol, batch_size, images)
    specification = RunSpecification(
        tags=(protocol.name, tag) if tag else (protocol.name,),
        dataset_id=1,
        model=ModelSpecification(architecture=architecture, backbone="resnet50", norm=norm),
        init=init,
        training=TrainingSpecification(
            iterations=schedule.iterations,
            batch_size=schedule.batch_size,
            lr=schedule.lr,
            warmup=schedule.warmup,
            milestones=schedule.milestones,
            image_size_min=protocol.image_size_min,
            trainable_stages=trainable_stages,
        ),
        probe=ProbeSpecification(images=64, every=_each(schedule, SNAPSHOTS)),
        evaluate_every=_each(schedule, EVALUATIONS),
        checkpoint_every=_each(schedule, CHECKPOINTS),
    )
    return Preset(
        source=protocol.source,
        published=str(scaled(protocol)),
        scaled=str(schedule),
        specification=_without_dataset(specification),
        **words,
    )


def _each(schedule: Schedule, times: int) -> int:
    return max(1, round(schedule.iterations / times))


def _without_dataset(specification: RunSpecification) -> dict[str, Any]:
    return specification.model_dump(mode="json", exclude={"dataset_id", "name"})
