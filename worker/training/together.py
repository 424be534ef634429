"""What forward passes of several networks take, measured in turns so that the machine's load falls on all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from backend.runs.specification import RunSpecification
from worker.probe.undisturbed import device_of, undisturbed
from worker.training.detectors import build_model
from worker.training.forward import WARM_UP, waited

LEAST_ROUNDS, MOST_ROUNDS = 3, 21
SECONDS = 20.0
"""After so long no further round begins, once there are enough for a median."""


def networks(
    specifications: Mapping[str, RunSpecification], classes: int, device: torch.device
) -> dict[str, nn.Module]:
    """Build the networks by name, with random weights: what a pass costs depends hardly on them."""
    built = {}
    for name, own in specifications.items():
        model = build_model(own.model, classes, own.training.image_size, own.training.seed)
        if device.type == "cuda":
            # As networks lie where they train.
            model.to(memory_format=torch.channels_last)
        built[name] = model.to(device)
    return built


def seconds_in_turns(models: Mapping[str, nn.Module], image: Tensor) -> dict[str, float]:
    """Return each network's median over rounds of one pass of each, for one image (3, H, W), 0 … 1."""
    passes: dict[str, list[float]] = {name: [] for name in models}
    began = time.perf_counter()
    for each in range(WARM_UP + MOST_ROUNDS):
        if each - WARM_UP >= LEAST_ROUNDS and time.perf_counter() - began > SECONDS:
            break
        for name, model in models.items():
            seconds = _one(model, image)
            if each >= WARM_UP:
                passes[name].append(seconds)
    return {name: statistics.median(found) for name, found in passes.items()}


def _one(model: nn.Module, image: Tensor) -> float:
    device = device_of(model)
    batch = [image.to(device)]
    with undisturbed(model):
        waited(device)
        began = time.perf_counter()
        model(batch)
        waited(device)
        return time.perf_counter() - began
