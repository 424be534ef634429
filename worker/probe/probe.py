"""The eigenspectrum of every map of a model over a fixed set of images."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from backend.errors import InvalidInput
from backend.runs.specification import MapKind
from worker.probe.accumulate import Covariance, eigenvalues
from worker.probe.errors import NonFiniteSpectrum, ProbeStopped
from worker.probe.maps import KINDS, LayerSpectrum, MapName, ProbedLayer
from worker.probe.networks import Network, Size, network
from worker.probe.statistics import own_statistics
from worker.probe.undisturbed import undisturbed

DEFAULT_MAPS: tuple[MapKind, ...] = ("act", "block", "fpn", "rpn", "box_head")


class EigenspectrumProbe:
    """Measures the covariance eigenspectra of a model's maps, and leaves the model as it was.

    The covariance is that of the paper (Shinya, Simo-Serra, Suzuki 2019): uncentred, each image counting the same,
    over the positions that the image itself covers and none that only pad it.

    `model` is a residual network, or torchvision's Faster R-CNN on one with FPN. `images` are float tensors
    (C, H, W), for a detector with values in 0 … 1 and of any size, as its own transform follows; they may lie on
    any device, and are read once here for their sizes and once per measurement. Images are batched by the size that
    the model gives them, at most `batch_size` together, so that neither their order nor the batch changes a result.

    `maps` are kinds of map and `layers` is a regular expression to be found in a layer's name; empty takes all.
    `batch_statistics` "running" is evaluation mode as it is; "probe" gives batch norms the probe set's own
    statistics, at about half a forward pass per norm more. `should_stop` is asked between batches and between
    decompositions. The CPU's products are float32; a GPU's are what torch's float32 matrix product is set to.

    Raises `InvalidInput` for a model, image, kind or expression that selects nothing or cannot be used.
    """

    def __init__(
        self,
        model: nn.Module,
        images: Sequence[Tensor],
        *,
        maps: Sequence[MapKind] = DEFAULT_MAPS,
        layers: str = "",
        batch_size: int = 2,
        batch_statistics: Literal["running", "probe"] = "running",
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        self._model = model
        self._images = images
        self._batch_statistics = batch_statistics
        self._should_stop = should_stop
        self._network: Network = network(model)
        _check_images(images)
        with undisturbed(model):
            sizes = [self._network.input_size(image) for image in images]
            shapes = self._network.shapes(sizes[0])
        self._batches = _batches(sizes, batch_size)
        self._order = [name.name for name in shapes]
        self.layers = _selected({name: shape[0] for name, shape in shapes.items()}, maps, layers)

    def measure(self) -> list[LayerSpectrum]:
        """Return the spectrum of each of `layers`, in their order, for the model's weights as they are now.

        A layer in which no image has a position (no proposals) has a spectrum of zeros and 0 images.
        Raises `NonFiniteSpectrum` naming the first layer that holds NaN or infinity, and `ProbeStopped`.
        """
        device = next(self._model.parameters()).device
        covariances = {layer.name: Covariance(layer.width, device) for layer in self.layers}
        with undisturbed(self._model), self._statistics():
            self._accumulate(covariances)
        return [self._spectrum(layer, covariances.pop(layer.name)) for layer in self.layers]

    def _accumulate(self, covariances: dict[str, Covariance]) -> None:
        taps = [tap for tap in self._network.taps if any(name.name in covariances for name in tap.maps)]

        def receive(name: MapName, images: list[Tensor]) -> None:
            if name.name in covariances:
                covariances[name.name].add(images)

        for images in self._each_batch():
            self._network.run(images, taps, receive)

    def _spectrum(self, layer: ProbedLayer, covariance: Covariance) -> LayerSpectrum:
        self._stop_if_asked()
        matrix = covariance.matrix()
        if not np.isfinite(matrix).all():
            raise NonFiniteSpectrum(layer.name)
        values = eigenvalues(matrix)
        return LayerSpectrum(
            layer=layer,
            eigenvalues=values,
            trace=float(np.trace(matrix)),
            lambda_1=float(values[0]),
            images=covariance.images,
            positions=covariance.positions,
        )

    def _statistics(self) -> AbstractContextManager[None]:
        if self._batch_statistics == "running":
            return nullcontext()
        return own_statistics(self._model, self._network, self._order, self._each_batch)

    def _each_batch(self) -> Iterator[list[Tensor]]:
        device = next(self._model.parameters()).device
        for indices in self._batches:
            self._stop_if_asked()
            yield [self._images[index].to(device) for index in indices]

    def _stop_if_asked(self) -> None:
        if self._should_stop is not None and self._should_stop():
            raise ProbeStopped


def _check_images(images: Sequence[Tensor]) -> None:
    if not len(images):
        raise InvalidInput("the probe set is empty; give at least one image or turn the probe off")
    for index, image in enumerate(images):
        if image.ndim != 3 or not torch.is_floating_point(image):
            raise InvalidInput(
                f"probe image {index} must be a float tensor (C, H, W), not {image.dtype} of shape {tuple(image.shape)}"
            )


def _batches(sizes: Sequence[Size], batch_size: int) -> list[list[int]]:
    """Return batches of the images' indices, each of one size: padding differs with what else is in a batch."""
    if batch_size < 1:
        raise InvalidInput(f"probe.batch_size must be at least 1, not {batch_size}")
    groups: dict[Size, list[int]] = {}
    for index, size in enumerate(sizes):
        groups.setdefault(size, []).append(index)
    return [
        group[start : start + batch_size]
        for group in groups.values()
        for start in range(0, len(group), batch_size)
    ]


def _selected(widths: dict[MapName, int], maps: Sequence[MapKind], layers: str) -> tuple[ProbedLayer, ...]:
    """Return the layers of the given kinds whose names hold the expression, counted in order of execution."""
    unknown = [kind for kind in maps if kind not in KINDS]
    if unknown:
        raise InvalidInput(f"there is no kind of map '{unknown[0]}'; take some of {', '.join(KINDS)}")
    try:
        pattern = re.compile(layers)
    except re.error as error:
        raise InvalidInput(f"probe.layers '{layers}' is no regular expression ({error})") from None
    chosen = [name for name in widths if name.map in maps and pattern.search(name.name)]
    if not chosen:
        raise InvalidInput(
            f"probe.maps {', '.join(maps)} and probe.layers '{layers}' select none of the model's {len(widths)} maps; "
            f"it has {', '.join(dict.fromkeys(name.map for name in widths))}"
        )
    return tuple(
        ProbedLayer(name.name, name.map, name.stage, widths[name], order) for order, name in enumerate(chosen)
    )
