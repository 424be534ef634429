"""Small networks and their states."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from backend.runs.specification import ModelSpecification
from worker.training.detectors import build_model

NARROW = {"layer4": 16, "layer4.0.conv1": 8, "layer4.1.conv1": 8}
HEADS = {
    "faster_rcnn": {"fpn": 8, "box_head": 16},
    "mask_rcnn": {"fpn": 8, "box_head": 16, "mask_head": 12},
    "retinanet": {"fpn": 8, "retina_head": 12},
}
CLASSES = 3
State = dict[str, Tensor]


def classifier(**changes: Any) -> ModelSpecification:
    return ModelSpecification(
        **{"architecture": "classifier", "backbone": "resnet18", "widths": NARROW} | changes
    )


def detector(**changes: Any) -> ModelSpecification:
    architecture = changes.get("architecture", "faster_rcnn")
    return ModelSpecification(**{"backbone": "resnet18", "widths": NARROW | HEADS[architecture]} | changes)


def built(model: ModelSpecification, seed: int = 11, classes: int = CLASSES) -> nn.Module:
    """A network whose norms are no longer as they began, so that taking them shows."""
    made = build_model(model, classes, 64, seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for key, tensor in made.state_dict().items():
            if tensor.ndim == 1 and tensor.is_floating_point():
                tensor.add_(torch.rand_like(tensor) / 10)
            if "num_batches" in key:
                tensor.fill_(7)
    return made.eval()


def state(
    model: ModelSpecification, seed: int = 11, classes: int = CLASSES, **changes: Tensor | None
) -> State:
    """A network's state; a keyword changes a key (`__` for `.`) or removes it."""
    made = dict(built(model, seed, classes).state_dict())
    for name, value in changes.items():
        key = name.replace("__", ".")
        made.pop(key, None)
        if value is not None:
            made[key] = value
    return made
