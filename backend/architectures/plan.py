"""Residual networks as data (He, Zhang, Ren, Sun 2016): which convolution has which width and stride."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backend.architectures.widths import DEPTHS, body_widths, is_bottleneck, resolved_widths

IMAGE_CHANNELS = 3


@dataclass(frozen=True, slots=True)
class ConvolutionPlan:
    """One convolution without bias; `name` is torchvision's, padding is `kernel // 2`."""

    name: str
    inputs: int
    outputs: int
    kernel: int
    stride: int = 1

    @property
    def weights(self) -> int:
        """Number of weights."""
        return self.inputs * self.outputs * self.kernel**2

    def output_side(self, side: int) -> int:
        """Height (or width) of the output for an input of height (or width) `side`."""
        return (side + 2 * (self.kernel // 2) - self.kernel) // self.stride + 1


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """One residual block: its convolutions in order, and the one on the shortcut where shapes differ."""

    name: str
    convolutions: tuple[ConvolutionPlan, ...]
    downsample: ConvolutionPlan | None

    @property
    def inputs(self) -> int:
        """Channels that enter."""
        return self.convolutions[0].inputs

    @property
    def inner(self) -> tuple[int, ...]:
        """Channels between the convolutions."""
        return tuple(convolution.outputs for convolution in self.convolutions[:-1])

    @property
    def outputs(self) -> int:
        """Channels that leave."""
        return self.convolutions[-1].outputs

    @property
    def stride(self) -> int:
        """How much smaller the output is than the input."""
        return max(convolution.stride for convolution in self.convolutions)


@dataclass(frozen=True, slots=True)
class StagePlan:
    """Blocks that share their output width: `layer1` … `layer4`."""

    name: str
    blocks: tuple[BlockPlan, ...]

    @property
    def outputs(self) -> int:
        """Channels that leave."""
        return self.blocks[-1].outputs


@dataclass(frozen=True, slots=True)
class BackbonePlan:
    """A residual network without its classifier: a 7x7 stem, a 3x3 max pooling of stride 2, four stages."""

    stem: ConvolutionPlan
    stages: tuple[StagePlan, ...]

    @property
    def blocks(self) -> tuple[BlockPlan, ...]:
        """All blocks in network order."""
        return tuple(block for stage in self.stages for block in stage.blocks)


def backbone_plan(
    backbone: str, stride_in_1x1: bool = False, widths: Mapping[str, int] | None = None
) -> BackbonePlan:
    """Return the plan of `resnet18`, `34`, `50` or `101` with the given widths by group.

    `stride_in_1x1` puts the stride of a stage in its 1x1 convolution (the original network;
    Caffe and Detectron2's MSRA weights) instead of its 3x3 (torchvision). A block gets a convolution on its
    shortcut exactly where its stride is not 1 or its widths differ. Widths of a detector's neck and heads are
    passed over. Raises ValueError for an unknown backbone or group, naming the known ones.
    """
    width = resolved_widths("classifier", backbone, body_widths(widths))
    stages = []
    inputs = width["stem"]
    for number, depth in enumerate(DEPTHS[backbone], start=1):
        stage = f"layer{number}"
        blocks = []
        for position in range(depth):
            stride = 2 if number > 1 and position == 0 else 1
            blocks.append(
                _block(backbone, f"{stage}.{position}", inputs, width[stage], stride, stride_in_1x1, width)
            )
            inputs = width[stage]
        stages.append(StagePlan(stage, tuple(blocks)))
    return BackbonePlan(ConvolutionPlan("conv1", IMAGE_CHANNELS, width["stem"], 7, 2), tuple(stages))


def _block(
    backbone: str,
    name: str,
    inputs: int,
    outputs: int,
    stride: int,
    stride_in_1x1: bool,
    width: Mapping[str, int],
) -> BlockPlan:
    make = _bottleneck if is_bottleneck(backbone) else _basic
    downsample = None
    if stride != 1 or inputs != outputs:
        downsample = ConvolutionPlan(f"{name}.downsample.0", inputs, outputs, 1, stride)
    return BlockPlan(name, make(name, inputs, outputs, stride, stride_in_1x1, width), downsample)


def _basic(
    name: str, inputs: int, outputs: int, stride: int, _stride_in_1x1: bool, width: Mapping[str, int]
) -> tuple[ConvolutionPlan, ...]:
    inner = width[f"{name}.conv1"]
    return (
        ConvolutionPlan(f"{name}.conv1", inputs, inner, 3, stride),
        ConvolutionPlan(f"{name}.conv2", inner, outputs, 3),
    )


def _bottleneck(
    name: str, inputs: int, outputs: int, stride: int, stride_in_1x1: bool, width: Mapping[str, int]
) -> tuple[ConvolutionPlan, ...]:
    first, second = (stride, 1) if stride_in_1x1 else (1, stride)
    reduced, spatial = width[f"{name}.conv1"], width[f"{name}.conv2"]
    return (
        ConvolutionPlan(f"{name}.conv1", inputs, reduced, 1, first),
        ConvolutionPlan(f"{name}.conv2", reduced, spatial, 3, second),
        ConvolutionPlan(f"{name}.conv3", spatial, outputs, 1),
    )
