"""How images pass through a model, and which part of each map is image and not padding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call

from worker.probe.maps import MapName, Tap, listening

Size = tuple[int, int]
"""(height, width) in pixels or positions."""

Shape = tuple[int, ...]
"""A map's shape for one image: (C, h, w), or (C, …) where positions are proposals or tokens."""

Receiver = Callable[[MapName, list[Tensor]], None]
"""Takes a map as the positions (C, N_i) of each image of a batch."""


class Network(Protocol):
    """A model that the probe can run. All is called in evaluation mode and without gradients."""

    taps: tuple[Tap, ...]
    """Every map of the model that has a name."""

    def input_size(self, image: Tensor) -> Size:
        """Return the size that the model gives the image (C, H, W), before padding."""

    def dry_run(self, image: Tensor) -> None:
        """Call every tapped module as for one image of this shape, run alone, without padding and without values."""

    def run(self, images: Sequence[Tensor], taps: Sequence[Tap], receive: Receiver) -> None:
        """Give the taps' maps of one batch, whose images have one input size, to `receive`, cropped to the image."""

    def positions(self, name: MapName, shape: Shape) -> int | None:
        """Return the number of positions of a map of one image, None where only a run tells (proposals)."""


class Batched:
    """A model that takes a batch (B, C, H, W) of images of one size: a residual network or a model of your own."""

    def __init__(self, model: nn.Module, taps: Sequence[Tap]) -> None:
        self._model = model
        self.taps = tuple(taps)

    def input_size(self, image: Tensor) -> Size:
        """Return the image's own size."""
        return image.shape[-2], image.shape[-1]

    def dry_run(self, image: Tensor) -> None:
        """Call the model with shapes alone."""
        on_meta(self._model, torch.empty(1, *image.shape, dtype=image.dtype, device="meta"))

    def run(self, images: Sequence[Tensor], taps: Sequence[Tap], receive: Receiver) -> None:
        """Run a batch; nothing is padded."""
        batch = torch.stack(list(images))
        with listening(taps, lambda name, maps: receive(name, [image.flatten(1) for image in maps])):
            self._model(batch)

    def positions(self, name: MapName, shape: Shape) -> int | None:
        """Return the number of positions."""
        return count(shape)


def count(shape: Shape) -> int:
    """Return how many positions a map (C, …) of one image has."""
    positions = 1
    for side in shape[1:]:
        positions *= side
    return positions


def shapes(network: Network, image: Tensor, taps: Sequence[Tap]) -> Mapping[MapName, Shape]:
    """Return the taps' maps' shapes for one image, in order of execution."""
    found: dict[MapName, Shape] = {}

    def record(name: MapName, maps: Tensor) -> None:
        found[name] = tuple(maps.shape[1:])

    with listening(taps, record):
        network.dry_run(image)
    return found


def on_meta(module: nn.Module, argument: Any) -> Any:
    """Run a module on shapes alone, without its weights' values, and return what it returns."""
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    return functional_call(module, {name: tensor.to("meta") for name, tensor in tensors.items()}, (argument,))
