"""The maps that a network's probe can measure, with their widths: told without building the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from backend.architectures.heads import SUBNET_DEPTH
from backend.architectures.plan import BackbonePlan, ConvolutionPlan, backbone_plan
from backend.architectures.widths import resolved_widths


@dataclass(frozen=True, slots=True)
class ProbedMap:
    """A map by the name that the probe gives it."""

    name: str
    kind: str
    width: int


def probed_maps(architecture: str, backbone: str, widths: Mapping[str, int] | None) -> list[ProbedMap]:
    """Return every map of a network, the residual network's first.

    Raises ValueError for an unknown architecture, backbone or width group.
    """
    resolved = resolved_widths(architecture, backbone, widths)
    body = list(_body(backbone_plan(backbone, widths=widths)))
    if architecture == "classifier":
        return body
    if architecture == "retinanet":
        return body + list(_retinanet(resolved))
    return body + list(_two_stage(resolved))


def _body(plan: BackbonePlan) -> Iterator[ProbedMap]:
    yield from _convolution("", 1, plan.stem, active=True)
    for block in plan.blocks:
        for number, convolution in enumerate(block.convolutions, start=1):
            # The last ReLU comes after the sum: its map is the block's.
            yield from _convolution(f"{block.name}.", number, convolution, number < len(block.convolutions))
        if block.downsample:
            yield ProbedMap(f"{block.name}.downsample.conv", "conv", block.outputs)
            yield ProbedMap(f"{block.name}.downsample.norm", "norm", block.outputs)
        yield ProbedMap(block.name, "block", block.outputs)


def _convolution(prefix: str, number: int, plan: ConvolutionPlan, active: bool) -> Iterator[ProbedMap]:
    for kind in ("conv", "norm", "act") if active else ("conv", "norm"):
        yield ProbedMap(f"{prefix}{kind}{number}", kind, plan.outputs)


def _pyramid(levels: list[str], extra: list[str], width: int) -> Iterator[ProbedMap]:
    for name in [*(f"inner.{level}" for level in levels), *levels, *extra]:
        yield ProbedMap(f"fpn.{name}", "fpn", width)


def _two_stage(widths: Mapping[str, int]) -> Iterator[ProbedMap]:
    levels, extra = ["p2", "p3", "p4", "p5"], ["pool"]
    yield from _pyramid(levels, extra, widths["fpn"])
    for level in levels + extra:
        yield ProbedMap(f"rpn.conv.{level}", "rpn", widths["fpn"])
    for name in ("fc6", "fc7"):
        yield ProbedMap(f"box_head.{name}", "box_head", widths["box_head"])
    if "mask_head" in widths:
        for number in range(1, SUBNET_DEPTH + 1):
            yield ProbedMap(f"mask_head.conv{number}", "mask_head", widths["mask_head"])


def _retinanet(widths: Mapping[str, int]) -> Iterator[ProbedMap]:
    levels, extra = ["p3", "p4", "p5"], ["p6", "p7"]
    yield from _pyramid(levels, extra, widths["fpn"])
    for subnet in ("cls_subnet", "bbox_subnet"):
        for number in range(1, SUBNET_DEPTH + 1):
            for level in levels + extra:
                name = f"{subnet}.conv{number}.{level}"
                yield ProbedMap(name, "retina_head", widths["retina_head"])
