"""Where the maps of any model are: found by watching its modules in a forward pass.

Kinds. Convolutions, transposed ones too, give `conv`; batch, group, layer, instance, RMS and local response norms
give `norm`; torch.nn's activation modules, but for softmaxes, give `act`; fully connected layers give `linear`.
A `block` is a module in which such maps lie and which returns one tensor that is no map yet: a sum, a concatenation,
an activation that is a function. An element of an nn.Sequential, nn.ModuleList or nn.ModuleDict is a block also if it
returns its last layer's map as it is, so that a network's units are all there whether or not there is a sum around
them; an activation's map is then named as the block's output alone, as in a residual network. The model itself is no
block, nor is an nn.Sequential, which is but its elements.

Names. A map's name is its module's path, `features.0.1`, its stage the path's first part; the second call of a
module in a forward pass gives `features.0.1:2`. A model that is one layer is called by its class.

Channels. Axis 1 of convolutions and of batch, group and instance norms; the last of fully connected layers and of
nn.LayerNorm and nn.RMSNorm over one axis. Any other map's is followed through the operations that it was made by;
where they lose it (an axis split in heads, say), it is the last of three axes, and else axis 1.

Not seen: functions that end no module (`functional.relu` in the model's own `forward`), modules that are never called
(an attention's projections, whose weights a function takes), outputs that are no single floating point tensor, and
maps that are not made image by image, such as a table of positions.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd
from torchvision.ops import FrozenBatchNorm2d

from worker.probe.axes import ChannelAxes
from worker.probe.maps import Kind, MapName, Tap, whole

_log = logging.getLogger(__name__)

_ON_AXIS_1: tuple[type[nn.Module], ...] = (_NormBase, FrozenBatchNorm2d, nn.GroupNorm, nn.LocalResponseNorm)
_ON_LAST_AXIS = (nn.LayerNorm, nn.RMSNorm)
_ACTIVATIONS: tuple[type[nn.Module], ...] = (
    nn.CELU, nn.ELU, nn.GELU, nn.GLU, nn.Hardshrink, nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh, nn.LeakyReLU,
    nn.LogSigmoid, nn.Mish, nn.PReLU, nn.ReLU, nn.ReLU6, nn.RReLU, nn.SELU, nn.SiLU, nn.Sigmoid, nn.Softplus,
    nn.Softshrink, nn.Softsign, nn.Tanh, nn.Tanhshrink, nn.Threshold,
)  # fmt: skip
_KINDS: tuple[tuple[Kind, tuple[type[nn.Module], ...]], ...] = (
    ("conv", (_ConvNd,)),
    ("norm", (*_ON_AXIS_1, *_ON_LAST_AXIS)),
    ("act", _ACTIVATIONS),
    ("linear", (nn.Linear,)),
)
_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


@dataclass(eq=False)
class BatchSize:
    """How many images are in the batch that is being run."""

    images: int = 1


@dataclass(frozen=True, eq=False)
class Sighting:
    """A map as one forward pass gave it: the `number`-th call, from 0, of the module at `path`."""

    module: nn.Module
    path: str
    number: int
    kind: Kind
    shape: tuple[int, ...]
    channels: int

    @property
    def name(self) -> MapName:
        """The map's name."""
        path = self.path or type(self.module).__name__
        call = f":{self.number + 1}" if self.number else ""
        return MapName(f"{path}{call}", self.kind, path.partition(".")[0])


def sightings(model: nn.Module, images: Tensor, run: Callable[[Tensor], None]) -> list[Sighting]:
    """Return the maps in the order in which a forward pass of the batch (B, C, …), by `run`, gives them."""
    watcher = _Watcher(model)
    with ExitStack() as watched:
        for path, module in model.named_modules():
            watched.enter_context(module.register_forward_hook(partial(watcher.called, path)))
        watched.enter_context(watcher.axes)
        watcher.axes.tell(images, 1)
        run(images)
    return watcher.found


def make_taps(of_one: Sequence[Sighting], of_two: Sequence[Sighting], batch: BatchSize) -> list[Tap]:
    """Return the taps of the maps that are made image by image, from passes of one image and of two.

    The axis that is twice as long for two is the images'. Where it is not the first, or holds several rows of each
    image (windows, frames), the tap's `read` brings it into order, by the `batch` being run; all rows of an image
    are positions then.
    """
    shapes = {seen.name: seen.shape for seen in of_two}
    places: dict[tuple[nn.Module, int, int | None], list[Sighting]] = {}
    missed = []
    for seen in of_one:
        axis = _images_axis(seen.shape, shapes.get(seen.name, ()))
        if axis is None or axis == seen.channels:
            missed.append(seen.name.name)
            continue
        in_order = axis == 0 and seen.shape[0] == 1
        place = (seen.module, seen.channels, None if in_order else axis)
        places.setdefault(place, []).append(seen)
    if missed:
        _log.info("not probed, for they are not made image by image: %s", ", ".join(missed))
    return [_tap(*place, of_place, batch) for place, of_place in places.items()]


def _tap(
    module: nn.Module, channels: int, images: int | None, seen: Sequence[Sighting], batch: BatchSize
) -> Tap:
    names: list[MapName | None] = [None] * (max(one.number for one in seen) + 1)
    for one in seen:
        names[one.number] = one.name
    if images is None:
        return Tap(module, tuple(names), whole, channels)
    return Tap(module, tuple(names), _ImageByImage(images, batch), channels + (1 if channels > images else 2))


@dataclass(frozen=True)
class _ImageByImage:
    """Reads a map whose `axis` holds rows of all images, each image's as many, as (B, rows of one, …)."""

    axis: int
    batch: BatchSize

    def __call__(self, _arguments: tuple[Any, ...], output: Any) -> Tensor:
        rows: Tensor = output.movedim(self.axis, 0)
        return rows.reshape(self.batch.images, -1, *rows.shape[1:])


def _images_axis(of_one: Sequence[int], of_two: Sequence[int]) -> int | None:
    """Return the axis that alone is longer for two images than for one, and twice as long."""
    if len(of_one) != len(of_two):
        return None
    longer = [axis for axis, (one, two) in enumerate(zip(of_one, of_two, strict=True)) if one != two]
    return longer[0] if len(longer) == 1 and of_two[longer[0]] == 2 * of_one[longer[0]] else None


_Content = tuple[int, int, int]


class _Watcher:
    """Sees every module's call, and tells by the tensor returned what kind of map it gives, if any."""

    def __init__(self, model: nn.Module) -> None:
        self.found: list[Sighting] = []
        self.axes = ChannelAxes()
        self._calls: Counter[str] = Counter()
        self._latest: dict[_Content, Sighting] = {}
        # While a storage is kept, no other gets its id.
        self._kept: list[Any] = []
        self._around: set[str] = set()
        self._elements = {
            f"{path}.{child}".removeprefix(".")
            for path, module in model.named_modules()
            if isinstance(module, _CONTAINERS)
            for child, _ in module.named_children()
        }

    def called(self, path: str, module: nn.Module, _arguments: tuple[Any, ...], output: Any) -> None:
        number = self._calls[path]
        self._calls[path] += 1
        if not isinstance(output, Tensor) or not output.is_floating_point() or output.ndim < 2:
            return
        kind = _kind(module) or ("block" if self._is_around_maps(path, module) else None)
        content = self._content(output)
        known = self._latest.get(content)
        if kind is None or (known and not (kind == "block" and self._is_better(path, known))):
            return
        if known and known.kind == "act":
            self.found.remove(known)
        channels = self._channels_of(module, output)
        seen = self._latest[content] = Sighting(module, path, number, kind, tuple(output.shape), channels)
        self.found.append(seen)
        self._around.update(_parents(path))

    def _is_around_maps(self, path: str, module: nn.Module) -> bool:
        return path in self._around and type(module).forward is not nn.Sequential.forward

    def _is_better(self, path: str, known: Sighting) -> bool:
        """Whether a block is to have the name of a map that has one."""
        return path in self._elements and known.kind != "block"

    def _content(self, tensor: Tensor) -> _Content:
        """Return what is the same of two tensors that hold a storage's same numbers, all of them, in any order."""
        storage = tensor.untyped_storage()
        self._kept.append(storage)
        return id(storage), tensor._version, tensor.numel()

    def _channels_of(self, module: nn.Module, output: Tensor) -> int:
        fixed = _channels(module)
        if fixed is not None:
            self.axes.tell(output, fixed)
        axis = self.axes.axis(output)
        return axis if axis is not None else (2 if output.ndim == 3 else 1)


def _kind(module: nn.Module) -> Kind | None:
    return next((kind for kind, types in _KINDS if isinstance(module, types)), None)


def _channels(module: nn.Module) -> int | None:
    """Return the axis of a map's channels where its module alone tells."""
    if isinstance(module, _ConvNd):
        return -1 - len(module.kernel_size)
    if isinstance(module, _ON_AXIS_1):
        return 1
    if isinstance(module, nn.Linear):
        return -1
    # A subclass may permute its input and back, as torchvision's LayerNorm2d does.
    if type(module) in _ON_LAST_AXIS and len(module.normalized_shape) == 1:  # type: ignore[arg-type]
        return -1
    return None


def _parents(path: str) -> Iterator[str]:
    """Yield the paths of the modules around one, but for the model itself."""
    while "." in path:
        path = path.rpartition(".")[0]
        yield path
