"""Where a model's maps are and what they are called.

The names are those of people, not of modules: `layer1.0.act1` is the first of the calls of `layer1.0.relu`. They
stay the same whatever the norm, and whether the residual network stands alone or inside a detector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from torch import Tensor, nn
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7

from backend.errors import InvalidInput
from worker.probe.maps import Kind, MapName, Tap, rectified, whole


def body_taps(body: nn.Module) -> list[Tap]:
    """Return the taps of a residual network whose modules carry torchvision's names.

    The stem gives `conv1`, `norm1` and `act1`; a block gives `conv1`, `norm1`, `act1`, …, `downsample.conv`,
    `downsample.norm` and, under its own name, its output after the sum and the last ReLU. That ReLU's map is the
    block's output and counted as such only.
    """
    taps = _convolution_taps(body, "", "stem", activations=1)
    for stage in stages(body):
        for index, block in body.get_submodule(stage).named_children():
            taps += _block_taps(block, f"{stage}.{index}", stage)
    return taps


def stages(body: nn.Module) -> list[str]:
    """Return the names of the body's residual stages, such as `layer1` … `layer4`."""
    return [name for name, _ in body.named_children() if name.startswith("layer")]


def fpn_levels(body: nn.Module, fpn: nn.Module) -> list[str]:
    """Return the FPN's levels from fine to coarse: `p2` is made from `layer1`, `p3` from `layer2` and so on."""
    returned: dict[str, str] = getattr(body, "return_layers", None) or {name: name for name in stages(body)}
    sources = [name for name in stages(body) if name in returned]
    inputs = len(list(fpn.get_submodule("inner_blocks").children()))
    if len(sources) != inputs:
        raise InvalidInput(f"the FPN takes {inputs} maps but the backbone returns {', '.join(sources)}")
    return [f"p{int(name.removeprefix('layer')) + 1}" for name in sources]


def every_level(fpn: nn.Module, levels: list[str]) -> list[str]:
    """Return the names of all maps that the FPN returns: its levels, then `pool`, or `p6` and `p7`."""
    extra: nn.Module | None = getattr(fpn, "extra_blocks", None)
    if extra is None:
        return levels
    if isinstance(extra, LastLevelMaxPool):
        return [*levels, "pool"]
    if isinstance(extra, LastLevelP6P7):
        return [*levels, "p6", "p7"]
    raise InvalidInput(f"the probe knows no names for the FPN's extra levels of {type(extra).__name__}")


def fpn_taps(fpn: nn.Module, levels: list[str]) -> list[Tap]:
    """Return the taps of torchvision's FPN.

    `fpn.inner.p2` is the lateral 1x1 convolution's map before the coarser level is added, `fpn.p2` the output,
    `fpn.pool` the coarsest output, subsampled from the one before; in RetinaNet `fpn.p6` and `fpn.p7`, each a
    convolution's map, before the ReLU that P7 is made from.
    """
    taps = []
    for part, prefix in (("inner_blocks", "fpn.inner"), ("layer_blocks", "fpn")):
        for level, module in zip(levels, fpn.get_submodule(part).children(), strict=True):
            taps.append(_tap(module, f"{prefix}.{level}", "fpn", "fpn"))
    for level in every_level(fpn, levels)[len(levels) :]:
        if level == "pool":
            taps.append(_tap(fpn.get_submodule("extra_blocks"), "fpn.pool", "fpn", "fpn", read=_last_level))
        else:
            taps.append(_tap(fpn.get_submodule(f"extra_blocks.{level}"), f"fpn.{level}", "fpn", "fpn"))
    return taps


def rpn_taps(head: nn.Module, levels: list[str]) -> list[Tap]:
    """Return the tap of the RPN's convolution, which is called once per level; its maps are after its last ReLU."""
    names = tuple(MapName(f"rpn.conv.{level}", "rpn", "rpn") for level in levels)
    return [Tap(head.get_submodule("conv"), names, whole)]


def box_head_taps(head: nn.Module) -> list[Tap]:
    """Return the taps of torchvision's box heads, after each ReLU.

    TwoMLPHead gives `box_head.fc6` and `box_head.fc7`, its own names; FastRCNNConvFCHead gives `box_head.conv1` …
    and, counted on, `box_head.fc5`.
    """
    if hasattr(head, "fc6") and hasattr(head, "fc7"):
        layers = [(name, head.get_submodule(name)) for name in ("fc6", "fc7")]
    elif isinstance(head, nn.Sequential):
        layers = _numbered_layers(head)
    else:
        raise InvalidInput(f"the probe knows no names for the maps of the box head {type(head).__name__}")
    return [_activation(module, f"box_head.{name}", "box_head") for name, module in layers]


def mask_head_taps(head: nn.Module) -> list[Tap]:
    """Return the taps of torchvision's mask head: `mask_head.conv1` …, after each ReLU."""
    if not isinstance(head, nn.Sequential):
        raise InvalidInput(f"the probe knows no names for the maps of the mask head {type(head).__name__}")
    return [_activation(module, f"mask_head.{name}", "mask_head") for name, module in _numbered_layers(head)]


def retina_head_taps(head: nn.Module, levels: list[str]) -> list[Tap]:
    """Return the taps of RetinaNet's two subnets, after each ReLU, each called once per level.

    `cls_subnet.conv1.p3` is the first map of the classification's, `bbox_subnet.conv4.p7` the last of the boxes'.
    """
    taps = []
    for subnet, part in (("cls_subnet", "classification_head"), ("bbox_subnet", "regression_head")):
        for number, layer in enumerate(head.get_submodule(f"{part}.conv").children(), start=1):
            names = [
                MapName(f"{subnet}.conv{number}.{level}", "retina_head", "retina_head") for level in levels
            ]
            taps.append(Tap(layer, tuple(names), whole))
    return taps


def _numbered_layers(head: nn.Sequential) -> list[tuple[str, nn.Module]]:
    """Return the head's convolutions (each with its norm and ReLU) and fully connected layers, counted together."""
    kinds = {True: "fc", False: "conv"}
    layers = [child for child in head if isinstance(child, (nn.Linear, nn.Sequential))]
    return [
        (f"{kinds[isinstance(layer, nn.Linear)]}{number}", layer)
        for number, layer in enumerate(layers, start=1)
    ]


def _activation(module: nn.Module, name: str, kind: Kind) -> Tap:
    """Return the tap of a layer's map after its ReLU, which is part of a convolution's module and follows a Linear."""
    return _tap(module, name, kind, kind, read=rectified if isinstance(module, nn.Linear) else whole)


def _block_taps(block: nn.Module, name: str, stage: str) -> list[Tap]:
    depth = sum(1 for child, _ in block.named_children() if child.startswith("conv"))
    taps = _convolution_taps(block, f"{name}.", stage, activations=depth - 1)
    downsample: nn.Module | None = getattr(block, "downsample", None)
    if downsample is not None:
        parts = zip(("conv", "norm"), downsample.children(), strict=True)
        taps += [_tap(module, f"{name}.downsample.{kind}", _kind(kind), stage) for kind, module in parts]
    return [*taps, _tap(block, name, "block", stage)]


def _convolution_taps(parent: nn.Module, prefix: str, stage: str, activations: int) -> list[Tap]:
    """Return the taps of `conv1`, `bn1`, … and of the one `relu` that is called after each of them."""
    taps = []
    for child, module in _numbered(parent):
        kind = "norm" if child.startswith("bn") else "conv"
        number = child.removeprefix("bn").removeprefix("conv")
        taps.append(_tap(module, f"{prefix}{kind}{number}", _kind(kind), stage))
    names = tuple(MapName(f"{prefix}act{number}", "act", stage) for number in range(1, activations + 1))
    return [*taps, Tap(parent.get_submodule("relu"), names, whole)]


def _numbered(parent: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for child, module in parent.named_children():
        if child.startswith(("conv", "bn")):
            yield child, module


def _kind(word: str) -> Kind:
    return "norm" if word == "norm" else "conv"


def _tap(
    module: nn.Module,
    name: str,
    kind: Kind,
    stage: str,
    read: Callable[[tuple[Any, ...], Any], Tensor] = whole,
) -> Tap:
    return Tap(module, (MapName(name, kind, stage),), read)


def _last_level(_arguments: tuple[Any, ...], output: Any) -> Tensor:
    """Read the level that an extra block appended to the results."""
    results, _names = output
    return cast(Tensor, results[-1])
