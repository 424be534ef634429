"""Look at a model and leave no trace in what trains it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Run in evaluation mode, without gradients or autocast; then restore each module's mode and every RNG.

    In evaluation mode no buffer changes. Modes are set module by module, for a frozen part of a model in training
    is in evaluation mode, and a model's own `train()` may do more than that. Not under `inference_mode`: what a
    module caches there, such as anchors, could not be trained with afterwards.
    """
    modes = [(module, module.training) for module in model.modules()]
    device = next(model.parameters()).device
    with _random_numbers_kept(), torch.no_grad(), torch.autocast(device.type, enabled=False):
        try:
            for module, _ in modes:
                module.training = False
            yield
        finally:
            for module, training in modes:
                module.training = training


@contextmanager
def _random_numbers_kept() -> Iterator[None]:
    """Restore Python's, numpy's and torch's global generators, on the CPU and every CUDA device in use."""
    cuda = bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]
    python, legacy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    devices = torch.cuda.get_rng_state_all() if cuda else []
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
        torch.set_rng_state(cpu)
        if cuda:
            torch.cuda.set_rng_state_all(devices)
