"""The layers of a residual network (He, Zhang, Ren, Sun 2016), each with its norm."""

from __future__ import annotations

from collections.abc import Iterator

from backend.architectures.heads import Side, positions
from backend.architectures.plan import BackbonePlan, BlockPlan, ConvolutionPlan
from backend.architectures.terms import Term

NORM_PARAMETERS = {"frozen_batch": 0, "batch": 2, "sync_batch": 2, "group": 2}
"""Parameters per channel: a frozen batch norm holds constants only."""


def body(plan: BackbonePlan, norm: str, side: Side) -> tuple[list[Term], list[Side]]:
    """Return the layers for images of a size, and the size of each of layer1 … layer4's outputs.

    Kernels and strides are the plan's; its widths do not matter.
    """
    constants = NORM_PARAMETERS[norm]
    side = _output(plan.stem, side)
    terms = [_term("stem", None, "stem", plan.stem, side, constants)]
    side = (-(-side[0] // 2), -(-side[1] // 2))  # the 3x3 max pooling of stride 2 rounds up
    inputs, sides = "stem", []
    for stage in plan.stages:
        for block in stage.blocks:
            terms += _block(block, stage.name, inputs, side, constants)
            inputs = stage.name
            for convolution in block.convolutions:
                side = _output(convolution, side)
        sides.append(side)
    return terms, sides


def _block(block: BlockPlan, stage: str, inputs: str, side: Side, constants: int) -> Iterator[Term]:
    entering = inputs
    for number, convolution in enumerate(block.convolutions, start=1):
        outputs = stage if number == len(block.convolutions) else convolution.name
        side = _output(convolution, side)
        yield _term(stage, inputs, outputs, convolution, side, constants)
        inputs = outputs
    if entering != stage:
        yield Term(
            stage, entering, stage, 1, positions([side]), constants, where_widths_differ=block.stride == 1
        )


def _term(
    stage: str, inputs: str | None, outputs: str, convolution: ConvolutionPlan, side: Side, constants: int
) -> Term:
    weights = convolution.kernel**2 * (convolution.inputs if inputs is None else 1)
    return Term(stage, inputs, outputs, weights, positions([side]), constants)


def _output(convolution: ConvolutionPlan, side: Side) -> Side:
    return convolution.output_side(side[0]), convolution.output_side(side[1])
