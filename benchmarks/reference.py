"""The loop that detectors' trainings are usually taken from, to measure ours against.

torchvision's wheel holds its models, not its reference scripts. This follows what those do in an iteration, in our own
words: a DataLoader whose collate turns a batch of (image, target) pairs into two tuples; images and targets moved to
the device; the model's losses summed; where several processes share a batch, losses reduced over them (here there is
one, which keeps them); a loss that is not finite ends the training; gradients cleared, backward, a step of SGD; a
warm-up scheduler stepped each iteration; and a logger with a smoothed value of each loss and of the rate. It reads the
same examples in the same order as our loop, from the same memory, and its model is the same.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from backend.runs.specification import TrainingSpecification
from worker.training.data import DetectionSet, as_float
from worker.training.freezing import train_mode
from worker.training.sampling import Order

WINDOW = 20
FACTOR = 1e-3

Pair = tuple[Tensor, dict[str, Tensor]]


class Pairs(Dataset[Pair]):
    """A training's examples as (image, float32 (3, H, W) in 0 … 1, target), in the order that our loop has them."""

    def __init__(self, examples: DetectionSet, training: TrainingSpecification) -> None:
        order = Order(examples.upright, training)
        self._examples = examples
        self._draws = [draw for iteration in range(training.iterations) for draw in order.batch(iteration)]

    def __len__(self) -> int:
        return len(self._draws)

    def __getitem__(self, position: int) -> Pair:
        draw = self._draws[position]
        example = self._examples.read(draw.number, draw.view)
        return as_float(example.image), example.target


class Smoothed:
    """A series' median and mean over a window, and over all."""

    def __init__(self) -> None:
        self._window: deque[float] = deque(maxlen=WINDOW)
        self._total, self._count = 0.0, 0

    def add(self, value: float) -> None:
        """Add one value."""
        self._window.append(value)
        self._total += value
        self._count += 1

    def __str__(self) -> str:
        return f"{torch.tensor(list(self._window)).median().item():.4f} ({self._total / self._count:.4f})"


def train(
    model: nn.Module, examples: DetectionSet, training: TrainingSpecification, device: torch.device
) -> None:
    """Train for `training.iterations`."""
    loader = DataLoader(
        Pairs(examples, training),
        batch_size=training.batch_size,
        shuffle=False,
        num_workers=0,
        collate_fn=_collate,
        pin_memory=device.type == "cuda",
    )
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.SGD(
        trained, lr=training.lr, momentum=training.momentum, weight_decay=training.weight_decay
    )
    warmup = torch.optim.lr_scheduler.LinearLR(
        optimiser, start_factor=FACTOR, total_iters=max(1, training.warmup)
    )
    meters: dict[str, Smoothed] = {}
    train_mode(model)
    for images, targets in loader:
        losses = _update(model, images, targets, optimiser, device)
        warmup.step()
        for name, value in {**losses, "lr": optimiser.param_groups[0]["lr"]}.items():
            meters.setdefault(name, Smoothed()).add(value)


def _update(
    model: nn.Module,
    images: Sequence[Tensor],
    targets: Sequence[dict[str, Tensor]],
    optimiser: torch.optim.Optimizer,
    device: torch.device,
) -> dict[str, float]:
    images = [image.to(device) for image in images]
    targets = [{name: value.to(device) for name, value in target.items()} for target in targets]
    losses: dict[str, Tensor] = model(images, targets)
    loss = torch.stack(list(losses.values())).sum()
    values = {name: value.item() for name, value in losses.items()}
    if not math.isfinite(sum(values.values())):
        raise FloatingPointError(f"the loss became {values}")
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    optimiser.step()
    return values | {"loss": loss.item()}


def _collate(batch: list[Pair]) -> tuple[tuple[Tensor, ...], tuple[dict[str, Tensor], ...]]:
    images, targets = zip(*batch, strict=True)
    return images, targets
