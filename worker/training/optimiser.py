"""SGD with momentum, its learning rate as a function of the iteration, and which weights decay."""

from __future__ import annotations

import torch
from torch import nn

from backend.runs.specification import TrainingSpecification

DECAY = 10.0


def make_optimiser(model: nn.Module, training: TrainingSpecification) -> torch.optim.SGD:
    """Return SGD over the parameters that train; norms and biases, having one axis, do not decay.

    Its step is one pass over the weights, but for fp16: that step may be skipped, and before the first momentum there
    is nothing yet that a fused one could leave as it was.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": training.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    fused = training.amp != "fp16"
    return torch.optim.SGD(groups, lr=training.lr, momentum=training.momentum, fused=fused)


def learning_rate(training: TrainingSpecification, iteration: int) -> float:
    """Return the rate of the update after `iteration` others.

    It rises linearly over `warmup` updates, of which the last has the full rate, and falls to a tenth at each of
    the `milestones` (Goyal et al. 2017).
    """
    rise = min(1.0, (iteration + 1) / training.warmup) if training.warmup else 1.0
    passed = sum(iteration >= milestone for milestone in training.milestones)
    return training.lr * rise / DECAY**passed


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Let the next update use this rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate
