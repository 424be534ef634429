"""Batch norm with the probe set's own statistics instead of its running ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from backend.errors import InvalidInput
from worker.probe.maps import MapName, Tap
from worker.probe.networks import Network

Batches = Callable[[], Iterable[Sequence[Tensor]]]
"""Gives the probe set's batches, each time it is called."""


@contextmanager
def own_statistics(
    model: nn.Module, network: Network, order: Sequence[str], batches: Batches
) -> Iterator[None]:
    """Let each batch norm use the mean and variance of its input over the probe set; then restore its own.

    A norm's statistics depend on those of all norms before it, so they are measured one norm after another, each
    in a pass over the probe set that ends at that norm. This is exact and independent of the batches, and costs
    about half a forward pass of the probe set per norm. Each image counts the same, by its valid positions; the
    variance is the population's, as in a training batch. Frozen and group norms have no such statistics and stay.

    `order` holds the maps' names in order of execution. Buffers are exchanged, never written.
    Raises `InvalidInput` for a batch norm that is seen twice, or not, as one outside a detector's residual network.
    """
    by_name = {tap.names()[0].name: tap for tap in network.taps if tap.names()}
    norms = [by_name[name] for name in order if name in by_name and _is_batch_norm(by_name[name].module)]
    _refuse_others(model, norms)
    with ExitStack() as exchanged:
        for tap in norms:
            mean, variance = _moments(network, _input_of(tap), batches)
            exchanged.enter_context(_exchanged(tap.module, mean, variance))
        yield


class _Reached(Exception):
    """The map in question has been seen."""


class _Moments:
    """Mean and mean square per channel, each image counting the same, in float64."""

    def __init__(self) -> None:
        self.images = 0
        self.mean: Tensor | float = 0.0
        self.square: Tensor | float = 0.0

    def __call__(self, _name: MapName, images: list[Tensor]) -> None:
        for positions in images:
            variance, mean = torch.var_mean(positions, dim=1, correction=0)
            self.mean = self.mean + mean.double()
            self.square = self.square + variance.double() + mean.double() ** 2
            self.images += 1
        raise _Reached


def _moments(network: Network, source: Tap, batches: Batches) -> tuple[Tensor, Tensor]:
    """Return the mean and variance of a map's channels over the probe set, each of shape (C,)."""
    moments = _Moments()
    for images in batches():
        try:
            network.run(images, [source], moments)
        except _Reached:
            continue
    mean = torch.as_tensor(moments.mean) / moments.images
    square = torch.as_tensor(moments.square) / moments.images
    return mean, (square - mean**2).clamp_min(0)


@contextmanager
def _exchanged(norm: nn.Module, mean: Tensor, variance: Tensor) -> Iterator[None]:
    kept = norm.running_mean, norm.running_var
    dtype = norm.weight.dtype if isinstance(norm.weight, Tensor) else torch.float32
    norm.running_mean, norm.running_var = mean.to(dtype), variance.to(dtype)
    try:
        yield
    finally:
        norm.running_mean, norm.running_var = kept


def _is_batch_norm(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm)


def _input_of(norm: Tap) -> Tap:
    """Return a tap that reads what a norm takes in, as positions of the norm's own map."""
    return replace(norm, read=lambda arguments, _output: norm.read(arguments, arguments[0]))


def _refuse_others(model: nn.Module, known: Sequence[Tap]) -> None:
    modules = {tap.module for tap in known}
    for name, module in model.named_modules():
        if _is_batch_norm(module) and module not in modules:
            raise InvalidInput(
                f"probe.batch_statistics 'probe' cannot be had for the batch norm '{name}', whose map the probe does "
                "not see; take 'running'"
            )
    for tap in known:
        if len(tap.names()) > 1:
            raise InvalidInput(
                f"probe.batch_statistics 'probe' cannot be had for the batch norm '{tap.names()[0].name}', which is "
                "called several times in a pass; take 'running'"
            )
