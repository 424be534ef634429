"""The norms of a residual network, by the names that a specification gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules._functions import SyncBatchNorm as _NativeSynchronised
from torch.nn.modules.batchnorm import _BatchNorm
from torchvision.ops import FrozenBatchNorm2d

MAX_GROUPS = 32
"""Group norm's default (Wu & He 2018)."""

NormFactory = Callable[[int], nn.Module]


def group_norm(channels: int) -> nn.GroupNorm:
    """Return a group norm of 32 groups, or of the largest number below that divides the channels."""
    groups = next(n for n in range(min(MAX_GROUPS, channels), 0, -1) if channels % n == 0)
    return nn.GroupNorm(groups, channels)


class SynchronisedBatchNorm(_BatchNorm):
    """Batch norm (Ioffe & Szegedy 2015) over the batches of all processes together.

    Maps (N, C, H, W) to the same shape. In one process, and in evaluation mode, it is exactly `nn.BatchNorm2d`.
    In training with a default process group of several, mean and variance are those of all their positions, each
    counting the same: N, H and W may differ from process to process, and every process must make every call. Each
    keeps the same running statistics. As with every gradient there, those of weight and bias are the process's own
    part; those of the input are of the sum of all processes' losses.

    torch's own `nn.SyncBatchNorm` knows GPUs only, and DistributedDataParallel refuses it on a CPU.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__(channels)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim != 4:
            raise ValueError(f"expected maps (N, C, H, W), not a tensor of shape {tuple(input.shape)}")

    def forward(self, input: Tensor) -> Tensor:
        """Normalise."""
        if not self.training or _processes() == 1:
            return super().forward(input)
        self._check_input_dim(input)
        self.num_batches_tracked.add_(1)
        return self._native(input) if input.is_cuda else self._synchronised(input)

    def _synchronised(self, maps: Tensor) -> Tensor:
        exact = maps.to(torch.promote_types(maps.dtype, torch.float32))
        count = exact.new_tensor([maps.numel() // maps.shape[1]])
        sums = _sum_over_processes(torch.cat([exact.sum((0, 2, 3)), count]))
        total = sums[-1].detach()
        mean = sums[:-1] / total
        centred = exact - mean[:, None, None]
        variance = _sum_over_processes(centred.square().sum((0, 2, 3))) / total
        self._follow(mean.detach(), variance.detach() * total / (total - 1))
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(maps.dtype)

    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics towards those of this batch; the variance is the unbiased one."""
        self.running_mean.lerp_(mean, cast(float, self.momentum))
        self.running_var.lerp_(variance, cast(float, self.momentum))

    def _native(self, maps: Tensor) -> Tensor:
        """Do the same by torch's kernels for GPUs, as `nn.SyncBatchNorm` does."""
        output: Tensor = _NativeSynchronised.apply(
            maps,
            self.weight,
            self.bias,
            self.running_mean,
            self.running_var,
            self.eps,
            self.momentum,
            distributed.group.WORLD,
            _processes(),
        )
        return output


class _Sum(torch.autograd.Function):
    """The sum of the processes' tensors. Each of them takes part in every process's loss, so gradients add up too."""

    @staticmethod
    def forward(_context: object, tensor: Tensor) -> Tensor:
        return _added_up(tensor)

    @staticmethod
    def backward(_context: object, *gradients: Tensor) -> Tensor:
        return _added_up(gradients[0])


def _sum_over_processes(tensor: Tensor) -> Tensor:
    summed: Tensor = _Sum.apply(tensor)
    return summed


def _added_up(tensor: Tensor) -> Tensor:
    summed = tensor.clone(memory_format=torch.contiguous_format)
    distributed.all_reduce(summed)
    return summed


def _processes() -> int:
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


NORMS: dict[str, NormFactory] = {
    "frozen_batch": FrozenBatchNorm2d,
    "batch": nn.BatchNorm2d,
    "sync_batch": SynchronisedBatchNorm,
    "group": group_norm,
}
