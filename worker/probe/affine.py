"""Modules that act on each position alone and affinely: what makes a covariance known without adding it up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torchvision.ops import FrozenBatchNorm2d

from worker.training.norms import SynchronisedBatchNorm

Floats = NDArray[np.float64]

_CONVOLUTIONS: tuple[type[nn.Module], ...] = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_BATCH_NORMS: tuple[type[nn.Module], ...] = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.SyncBatchNorm,
    SynchronisedBatchNorm,
)


@dataclass(frozen=True, eq=False)
class Pointwise:
    """What a module does to each position: the affine `modules` in order, after taking every `stride`-th position.

    `axis` is the axis of channels in their input and output.
    """

    modules: tuple[nn.Module, ...]
    stride: int
    axis: int

    @property
    def mixes(self) -> bool:
        """Whether channels are mixed, and not only each scaled and shifted."""
        return any(isinstance(module, (nn.modules.conv._ConvNd, nn.Linear)) for module in self.modules)


def pointwise(module: nn.Module) -> Pointwise | None:
    """Return what the module does to each position in evaluation mode, or None if that is not affine and exact.

    Affine are 1x1 convolutions without padding or groups, fully connected layers, batch norms with running
    statistics, frozen batch norms, and sequences of them. Subclasses, and modules with hooks, may do anything.
    """
    modules = tuple(_flattened(module))
    axes = {-1 if isinstance(one, nn.Linear) else 1 for one in modules}
    if len(axes) != 1 or not all(_is_affine(one) for one in modules):
        return None
    strides = [one.stride[0] for one in modules if isinstance(one, nn.modules.conv._ConvNd)]
    return Pointwise(modules, math.prod(strides), axes.pop())


def _flattened(module: nn.Module) -> Iterator[nn.Module]:
    """Yield the modules of a sequence in their order; a module that has hooks is passed on as it is."""
    if (
        isinstance(module, nn.Sequential)
        and type(module).forward is nn.Sequential.forward
        and not _hooked(module)
    ):
        for child in module:
            yield from _flattened(child)
    else:
        yield module


def _is_affine(module: nn.Module) -> bool:
    if _hooked(module):
        return False
    if isinstance(module, nn.modules.conv._ConvNd):
        return type(module) in _CONVOLUTIONS and _is_1x1(module)
    if isinstance(module, _BatchNorm):
        return type(module) in _BATCH_NORMS and module.running_mean is not None
    return type(module) in (nn.Linear, FrozenBatchNorm2d)


def _is_1x1(convolution: nn.modules.conv._ConvNd) -> bool:
    unpadded = convolution.padding == "valid" or not any(convolution.padding)
    alike = len(set(convolution.stride)) == 1
    return set(convolution.kernel_size) == {1} and unpadded and alike and convolution.groups == 1


def _hooked(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks)


@dataclass(frozen=True, eq=False)
class AffineMap:
    """y = scale ∘ (matrix x) + shift, in float64.

    `matrix` is (C_out, C_in), None for the identity; `scale` and `shift` are (C_out,), None for ones and zeros.
    """

    matrix: Floats | None = None
    scale: Floats | None = None
    shift: Floats | None = None

    def after_matrix(self, weight: Floats, bias: Floats) -> AffineMap:
        """Return x → weight (self x) + bias."""
        if self.matrix is None:
            matrix = weight if self.scale is None else weight * self.scale
        else:
            matrix = weight @ (self.matrix if self.scale is None else self.scale[:, None] * self.matrix)
        return AffineMap(matrix, None, _sum(None if self.shift is None else weight @ self.shift, bias))

    def after_scaling(self, scale: Floats, shift: Floats) -> AffineMap:
        """Return x → scale ∘ (self x) + shift."""
        return replace(
            self,
            scale=scale if self.scale is None else scale * self.scale,
            shift=shift if self.shift is None else scale * self.shift + shift,
        )


@dataclass(frozen=True, eq=False)
class Parameters:
    """Copies of what a pointwise module is made of, as they are now.

    `weight` is the matrix (C_out, C_in), or with `scaling` the diagonal (C,) of one; `bias` is what is added, (C_out,).
    """

    weight: Tensor
    bias: Tensor
    scaling: bool

    def finite(self) -> bool:
        """Return whether all its numbers are."""
        # A sum is not finite if a number is not, and a tenth of the time that looking at each takes.
        return all(math.isfinite(part.sum()) for part in (self.weight, self.bias))


def parameters(modules: Sequence[nn.Module]) -> list[Parameters]:
    """Copy the modules' parameters to the CPU, where training cannot change them."""
    return [_parameters(module) for module in modules]


def compose(parts: Sequence[Parameters]) -> AffineMap:
    """Return the map that the modules, one after another, make together."""
    result = AffineMap()
    for part in parts:
        weight, bias = part.weight.double().numpy(), part.bias.double().numpy()
        result = result.after_scaling(weight, bias) if part.scaling else result.after_matrix(weight, bias)
    return result


def _parameters(module: nn.Module) -> Parameters:
    if isinstance(module, (_BatchNorm, FrozenBatchNorm2d)):
        return Parameters(*_scaling(module), scaling=True)
    if isinstance(module, (nn.modules.conv._ConvNd, nn.Linear)):
        weight = _copied(module.weight.reshape(module.weight.shape[0], -1))
        return Parameters(
            weight, _copied(module.bias) if module.bias is not None else weight.new_zeros(len(weight)), False
        )
    raise TypeError(f"{type(module).__name__} is not affine")


def _scaling(norm: _BatchNorm | FrozenBatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return D = γ / √(var + ε) and β − D μ, in float64 on the CPU."""
    if norm.running_mean is None or norm.running_var is None:
        raise TypeError("a batch norm without running statistics is not affine")
    scale = (_copied(norm.running_var).double() + norm.eps).rsqrt()
    if norm.weight is not None:
        scale = scale * _copied(norm.weight).double()
    shift = -_copied(norm.running_mean).double() * scale
    if norm.bias is not None:
        shift = shift + _copied(norm.bias).double()
    return scale, shift


def _copied(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", copy=True)


def _sum(one: Floats | None, other: Floats) -> Floats | None:
    """Return the sum, None for zeros: a map without shift keeps the rank of its source."""
    total = other if one is None else one + other
    return total if total.any() else None
