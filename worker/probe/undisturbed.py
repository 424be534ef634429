"""Look at a model and leave no trace in what trains it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn


@contextmanager
def undisturbed(model: nn.Module, tf32: bool = False) -> Iterator[None]:
    """Run in evaluation mode, without gradients or autocast; then restore each module's mode and every RNG.

    In evaluation mode no buffer changes. Modes are set module by module, for a frozen part of a model in training
    is in evaluation mode, and a model's own `train()` may do more than that. Not under `inference_mode`: what a
    module caches there, such as anchors, could not be trained with afterwards. float32 is float32, in convolutions
    too, whatever the training allows itself, unless `tf32` is asked for.
    """
    modes = [(module, module.training) for module in model.modules()]
    device = device_of(model)
    with (
        _random_numbers_kept(),
        _float32_products("tf32" if tf32 else "ieee"),
        torch.no_grad(),
        torch.autocast(device.type, enabled=False),
    ):
        try:
            for module, _ in modes:
                module.training = False
            yield
        finally:
            for module, training in modes:
                module.training = training


def device_of(model: nn.Module) -> torch.device:
    """Return where the model lies, by its first parameter; the CPU for a model without any."""
    first = next(model.parameters(), None)
    return torch.device("cpu") if first is None else first.device


def _backends() -> tuple[Any, ...]:
    backends: Any = torch.backends
    return backends.cuda.matmul, backends.cudnn.conv, backends.mkldnn.matmul, backends.mkldnn.conv


@contextmanager
def _float32_products(precision: str) -> Iterator[None]:
    """Let float32 products and convolutions be of this precision: torch's default for cuDNN's is TF32."""
    kept = [backend.fp32_precision for backend in _backends()]
    try:
        for backend in _backends():
            backend.fp32_precision = precision
        yield
    finally:
        for backend, before in zip(_backends(), kept, strict=True):
            backend.fp32_precision = before


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
