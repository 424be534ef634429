"""The eigenspectrum of every map of a model over a fixed set of images."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from typing import Literal

import torch
from torch import Tensor, nn

from backend.errors import InvalidInput
from worker.probe.accumulate import Accumulator, Covariance, Positions
from worker.probe.batches import Batches, fitting_size
from worker.probe.errors import ProbeOutOfMemory, ProbeStopped
from worker.probe.maps import Kind, LayerSpectrum, MapName
from worker.probe.measurement import Accumulated, Measurement, collect
from worker.probe.models import network
from worker.probe.networks import Network
from worker.probe.plan import Plan, make_plan
from worker.probe.selection import selected
from worker.probe.statistics import own_statistics
from worker.probe.trace import Nodes, trace, witnessed
from worker.probe.undisturbed import device_of, undisturbed

DEFAULT_MAPS: tuple[Kind, ...] = ("act", "block", "fpn", "rpn", "box_head", "mask_head", "retina_head")

_log = logging.getLogger(__name__)


class EigenspectrumProbe:
    """Measures the covariance eigenspectra of a model's maps, and leaves the model as it was.

    The covariance is that of the paper (Shinya, Simo-Serra, Suzuki 2019): uncentred, each image counting the same,
    over the positions that the image itself covers and none that only pad it; in a detector's box and mask head,
    over the image's proposals.

    `model` is any module that takes a batch (B, …) of images, or torchvision's Faster R-CNN, Mask R-CNN or RetinaNet
    with FPN.
    `images` are float tensors (C, H, W), for a detector with values in 0 … 1 and of any size, as its own transform
    follows; they may lie on any device, and are read once here for their sizes and once per measurement. Images
    are batched by the size that the model gives them, so that neither their order nor the batch changes a result.

    `maps` are kinds of map and `layers` is a regular expression to be found in a layer's name; empty takes all.
    `batch_size` images are run together, None as many as fit; where a GPU's memory does not suffice, it is halved,
    said in the log and kept. `batch_statistics` "running" is evaluation mode as it is; "probe" gives batch norms
    the probe set's own statistics, at about half a forward pass per norm more. `shortcuts` derives what follows
    exactly from another map, by the `plan`; without, every map is added up. Products are float32, TF32 only where
    `tf32` asks for it; sums and eigenvalues are float64. `should_stop` is asked between batches and decompositions.

    Raises `InvalidInput` for a model, image, kind or expression that selects nothing or cannot be used.
    """

    def __init__(
        self,
        model: nn.Module,
        images: Sequence[Tensor],
        *,
        maps: Sequence[Kind] = DEFAULT_MAPS,
        layers: str = "",
        batch_size: int | None = None,
        batch_statistics: Literal["running", "probe"] = "running",
        shortcuts: bool = True,
        tf32: bool = False,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        self._model = model
        self._images = images
        self._batch_statistics = batch_statistics
        self._tf32 = tf32
        self._should_stop = should_stop
        checked = _checked(images)
        first = next(checked)
        self._network: Network = network(model, first)
        with undisturbed(model):
            sizes = [self._network.input_size(image) for image in chain((first,), checked)]
            nodes = trace(self._network.taps, lambda: self._network.dry_run(first))
        own = {name: node for name, node in nodes.items() if not node.is_input}
        self._order = [name.name for name in own]
        chosen = selected({name: node.width for name, node in own.items()}, maps, layers)
        self.layers = tuple(layer for _, layer in chosen)
        """The maps that are measured, in order of execution."""
        scale = sum(height * width for height, width in sizes) / (sizes[0][0] * sizes[0][1])
        self.plan: Plan = make_plan(nodes, chosen, self._positions(nodes, scale), len(images), shortcuts)
        """How they are measured."""
        shapes = {name: node.shape for name, node in nodes.items()}
        fitting = fitting_size(device_of(model), sizes, shapes) if batch_size is None else batch_size
        self._batches = Batches(sizes, fitting)
        self._thread: ThreadPoolExecutor | None = None
        self._pending: Measurement | None = None

    def measure(self) -> list[LayerSpectrum]:
        """Return the spectrum of each of `layers`, in their order, for the model's weights as they are now.

        A layer in which no image has a position (no proposals) has a spectrum of zeros and 0 images.
        Raises `NonFiniteSpectrum` naming the first layer that holds NaN or infinity, `ProbeOutOfMemory` and
        `ProbeStopped`.
        """
        return self.read(self.accumulate())

    def start(self) -> Measurement:
        """Add up now, and take the spectra in a side thread while training goes on. Raises what `measure` does.

        One measurement is under way at most: this waits for the last one's spectra before it adds anything up, so
        that what is held is `plan.bytes` on the GPU while adding up and as much on the CPU until the result is there.
        The thread does not ask `should_stop`: what is added up will be there.
        """
        if self._pending is not None:
            self._pending.wait()
        accumulated = self.accumulate()
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="eigenspectrum")
        self._pending = Measurement(self._thread.submit(_spectra, self.plan, accumulated, lambda: None))
        return self._pending

    def accumulate(self) -> Accumulated:
        """Run the images through the model and return what the spectra are made from. Raises what `measure` does."""
        while True:
            try:
                return self._accumulate()
            except torch.OutOfMemoryError as error:
                reason = str(error).partition(".")[0]
            # Out here nothing holds the maps any more that the error's frames held.
            torch.cuda.empty_cache()
            if not self._batches.halve():
                raise ProbeOutOfMemory(
                    f"the GPU has no room to probe one image ({reason}); lower training.batch_size or "
                    f"training.image_size, or choose fewer probe.maps, whose matrices take {self.plan.bytes:,} bytes"
                )
            _log.warning(
                "the GPU has no room for the probe's batch; going on with %d images", self._batches.size
            )

    def read(self, accumulated: Accumulated) -> list[LayerSpectrum]:
        """Return the spectra of what was added up; raises `ProbeStopped`."""
        return _spectra(self.plan, accumulated, self._stop_if_asked)

    def _accumulate(self) -> Accumulated:
        device = device_of(self._model)
        accumulators: dict[MapName, Accumulator] = {}
        for source in self.plan.sources:
            if self.plan.keeps_positions(source):
                accumulators[source.name] = Positions(source.width, device)
            else:
                accumulators[source.name] = Covariance(source.width, device, self.plan.needs_mean(source))

        def receive(name: MapName, images: list[Tensor]) -> None:
            if name in accumulators:
                accumulators[name].add(images)

        with undisturbed(self._model, self._tf32), self._statistics():
            for number, images in enumerate(self._each_batch()):
                # Where a model makes its maps from is the same in every pass, or is not from the first on.
                with witnessed(self.plan.derived) if number == 0 else nullcontext():
                    self._network.run(images, self.plan.taps, receive)
            return collect(self.plan, accumulators)

    def _positions(self, nodes: Nodes, scale: float) -> dict[MapName, int | None]:
        """Return how many positions all images have together, map by map, by the images' sizes in pixels."""
        counts = {name: self._network.positions(name, node.shape) for name, node in nodes.items()}
        return {name: None if count is None else round(count * scale) for name, count in counts.items()}

    def _statistics(self) -> AbstractContextManager[None]:
        if self._batch_statistics == "running":
            return nullcontext()
        return own_statistics(self._model, self._network, self._order, self._each_batch)

    def _each_batch(self) -> Iterator[list[Tensor]]:
        device = device_of(self._model)
        for indices in self._batches:
            self._stop_if_asked()
            yield [self._images[index].to(device) for index in indices]

    def _stop_if_asked(self) -> None:
        if self._should_stop is not None and self._should_stop():
            raise ProbeStopped


def _spectra(plan: Plan, accumulated: Accumulated, before_each: Callable[[], None]) -> list[LayerSpectrum]:
    accumulated.ready()
    spectra = []
    for one in plan.chains:
        before_each()
        spectra.append(accumulated.spectrum(one))
    return spectra


def _checked(images: Sequence[Tensor]) -> Iterator[Tensor]:
    """Yield the images, each read once."""
    if not len(images):
        raise InvalidInput("the probe set is empty; give at least one image or turn the probe off")
    for index, image in enumerate(images):
        if not isinstance(image, Tensor):
            raise InvalidInput(
                f"probe image {index} must be a float tensor (C, H, W), not {type(image).__name__}"
            )
        if image.ndim != 3 or not torch.is_floating_point(image):
            raise InvalidInput(
                f"probe image {index} must be a float tensor (C, H, W), not {image.dtype} of shape {tuple(image.shape)}"
            )
        yield image
