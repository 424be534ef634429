"""Ready-made specifications: the paper's comparison, everything shared but the first weights."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from backend.runs.specification import (
    FileInit,
    ImageNetInit,
    ModelSpecification,
    ProbeSpecification,
    RunInit,
    RunSpecification,
    ScratchInit,
    TrainingSpecification,
)


class Preset(BaseModel):
    """A named specification without its dataset."""

    name: str
    label: str
    description: str
    specification: dict[str, Any]


def _specification(init: ImageNetInit | ScratchInit | RunInit | FileInit, tag: str) -> dict[str, Any]:
    training = TrainingSpecification(
        iterations=18_000, batch_size=8, lr=0.01, warmup=500, milestones=(12_000, 16_000), clip_norm=10.0
    )
    specification = RunSpecification(
        tags=(tag,),
        dataset_id=1,
        model=ModelSpecification(backbone="resnet50", norm="batch"),
        init=init,
        training=training,
        probe=ProbeSpecification(images=64, every=1000),
        evaluate_every=6000,
        checkpoint_every=2000,
    )
    return specification.model_dump(mode="json", exclude={"dataset_id", "name"})


def presets() -> list[Preset]:
    """Return the presets in the order of the form."""
    shared = "Norm, trainable stages, data order and schedule are those of its counterpart."
    return [
        Preset(
            name="I",
            label="I: pre-trained",
            description=f"Faster R-CNN with FPN, fine-tuned from ImageNet weights. {shared}",
            specification=_specification(ImageNetInit(), "I"),
        ),
        Preset(
            name="S",
            label="S: from scratch",
            description=f"The same detector from random weights. {shared}",
            specification=_specification(ScratchInit(), "S"),
        ),
    ]
