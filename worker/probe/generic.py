"""Any model that takes a batch of images, run as it is."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from backend.errors import InvalidInput
from worker.probe.generic_maps import BatchSize, Sighting, make_taps, sightings
from worker.probe.maps import MapName, Tap, listening
from worker.probe.networks import Receiver, Shape, Size, count, on_meta
from worker.probe.trace import ModelChanged
from worker.probe.undisturbed import device_of, undisturbed

_log = logging.getLogger(__name__)


class AnyModel:
    """A model that takes a batch (B, …) of images of one size, whose maps `generic_maps` finds and names.

    They are found by passes of one image and of two, without values where the model can run so; else, and then in
    every dry run, with the `example` itself. Raises `InvalidInput` for a model that cannot be run on the example, or
    in which nothing is seen.
    """

    def __init__(self, model: nn.Module, example: Tensor) -> None:
        _refuse(model)
        self._model = model
        self._batch = BatchSize()
        self._pass = self._without_values
        with undisturbed(model):
            of_one, of_two = self._first_passes(example)
        self.taps: tuple[Tap, ...] = tuple(make_taps(of_one, of_two, self._batch))
        if not self.taps:
            raise InvalidInput(
                f"the probe sees no map in {type(model).__name__}: it looks for convolutions, norms, activations and "
                "fully connected layers that are modules of torch.nn and called in a forward pass of the images"
            )

    def input_size(self, image: Tensor) -> Size:
        """Return the image's own size."""
        return image.shape[-2], image.shape[-1]

    def dry_run(self, image: Tensor) -> None:
        """Call the model with one image, with shapes alone where it can run so."""
        self._batch.images = 1
        self._pass(image[None])

    def run(self, images: Sequence[Tensor], taps: Sequence[Tap], receive: Receiver) -> None:
        """Run a batch; nothing is padded. Raises `ModelChanged` if a tap gives no map any more."""
        missing = {name for tap in taps for name in tap.names()}

        def give(name: MapName, maps: Tensor) -> None:
            missing.discard(name)
            receive(name, [image.reshape(len(image), -1) for image in maps])

        self._batch.images = len(images)
        with listening(taps, give):
            self._model(torch.stack(list(images)))
        if missing:
            raise ModelChanged(
                f"the model did not compute '{min(name.name for name in missing)}' for every batch, as it did when "
                "the probe was built; leave out by probe.layers what it does not always compute"
            )

    def positions(self, name: MapName, shape: Shape) -> int | None:
        """Return the number of positions."""
        return count(shape)

    def _first_passes(self, example: Tensor) -> tuple[list[Sighting], list[Sighting]]:
        one, two = example[None], torch.stack([example, example])
        try:
            return self._sightings(one), self._sightings(two)
        # A model's own code may fail by any error where tensors have no values.
        except Exception as error:
            _log.info(
                "%s does not run on shapes alone (%s); its layers are found by running it on one image and on two",
                type(self._model).__name__,
                _first_line(error),
            )
        self._pass = self._with_values
        try:
            return self._sightings(one), self._sightings(two)
        except Exception as error:
            raise InvalidInput(
                f"{type(self._model).__name__} cannot be run on a batch (B, …) of the probe's images, of shape "
                f"{tuple(example.shape)}: {_first_line(error)}"
            ) from error

    def _sightings(self, images: Tensor) -> list[Sighting]:
        return sightings(self._model, images, self._pass)

    def _without_values(self, images: Tensor) -> None:
        with _attributes_kept(self._model):
            on_meta(self._model, images.to("meta"))

    def _with_values(self, images: Tensor) -> None:
        self._model(images.to(device_of(self._model)))


@contextmanager
def _attributes_kept(model: nn.Module) -> Iterator[None]:
    """Restore what a model keeps in attributes, such as a table made at the first call: without values it is none."""
    kept = [(module, dict(module.__dict__)) for module in model.modules()]
    try:
        yield
    finally:
        for module, attributes in kept:
            module.__dict__.clear()
            module.__dict__.update(attributes)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _refuse(model: nn.Module) -> None:
    """Raise `InvalidInput` for a model that is none of a batch of images."""
    kind = type(model).__name__
    if any(isinstance(module, GeneralizedRCNNTransform) for module in model.modules()):
        raise InvalidInput(
            f"of torchvision's detectors the probe knows Faster R-CNN, Mask R-CNN and RetinaNet, not {kind}; give it "
            "the model's backbone"
        )
    if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        raise InvalidInput(f"give the probe the model itself and not {kind} around it: model.module")
    if any(_is_opaque(module) for module in model.modules()):
        raise InvalidInput(
            f"{kind} is compiled or scripted, and nothing is seen inside; give the probe the model that it was made "
            "from, of which torch.compile(model) shares the weights"
        )
    if any(is_lazy(parameter) for parameter in model.parameters()):
        raise InvalidInput(
            f"{kind} has parameters without a shape yet; run it once on a batch of images first"
        )


def _is_opaque(module: nn.Module) -> bool:
    """Whether a module is scripted, or compiled: by torch.compile, which wraps it, or by its own `compile`."""
    wrapped = hasattr(module, "_orig_mod") or module._compiled_call_impl is not None
    return wrapped or isinstance(module, torch.jit.ScriptModule)
