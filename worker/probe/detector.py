"""What torchvision's detectors have in common: their own transform of images, and a backbone with FPN."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from backend.errors import InvalidInput
from backend.runs.specification import PROPOSAL_KINDS
from worker.probe.accumulate import valid_positions
from worker.probe.maps import MapName, Tap
from worker.probe.names import body_taps, fpn_levels, fpn_taps
from worker.probe.networks import Receiver, Shape, Size, count, shapes


class Detector(ABC):
    """A detector, run as it runs in evaluation mode.

    `model` has torchvision's `transform` and a `backbone` with `body` and `fpn`.
    """

    taps: tuple[Tap, ...]

    def __init__(self, model: Any) -> None:
        self._model = model
        self._shapes: dict[Size, dict[MapName, Shape]] = {}
        self._input_sizes: dict[Shape, Size] = {}
        if not (hasattr(model.backbone, "body") and hasattr(model.backbone, "fpn")):
            raise InvalidInput(
                f"the probe needs a backbone with body and fpn, not {type(model.backbone).__name__}"
            )
        self._own_levels = fpn_levels(model.backbone.body, model.backbone.fpn)

    def _backbone_taps(self) -> list[Tap]:
        backbone: Any = self._model.backbone
        return [*body_taps(backbone.body), *fpn_taps(backbone.fpn, self._own_levels)]

    def input_size(self, image: Tensor) -> Size:
        """Return the size to which the detector's transform resizes the image."""
        shape = tuple(image.shape)
        if shape not in self._input_sizes:
            resized, _ = self._model.transform([torch.empty_like(image, device="meta")])
            self._input_sizes[shape] = resized.image_sizes[0]
        return self._input_sizes[shape]

    def dry_run(self, image: Tensor) -> None:
        """Call every part with shapes alone; one proposal stands for the image's."""
        self._run_on_meta(torch.empty(1, image.shape[0], *self.input_size(image), device="meta"))

    @abstractmethod
    def _run_on_meta(self, batch: Tensor) -> None:
        """Call every part with this batch (1, C, H, W) on the meta device."""

    @abstractmethod
    def run(self, images: Sequence[Tensor], taps: Sequence[Tap], receive: Receiver) -> None:
        """Run a batch, through no more of the detector than the taps ask for."""

    def positions(self, name: MapName, shape: Shape) -> int | None:
        """Return the number of positions of a map of one image; proposals are known only after a run."""
        return None if name.map in PROPOSAL_KINDS else count(shape)

    def _cropping(
        self, image: Tensor, size: Size, taps: Sequence[Tap], receive: Receiver
    ) -> Callable[[MapName, Tensor], None]:
        """Return what gives pictures to `receive`, cropped to what of them is image for images of this input size."""
        sizes = self._valid(image, size, taps)

        def crop(name: MapName, maps: Tensor) -> None:
            receive(name, valid_positions(maps, [sizes[name]] * len(maps)))

        return crop

    def _valid(self, image: Tensor, size: Size, taps: Sequence[Tap]) -> dict[MapName, Size]:
        """Return the valid height and width of the maps that are pictures, for an image of this input size."""
        known = self._shapes.setdefault(size, {})
        if any(name not in known for tap in taps for name in tap.names()):
            known.update(shapes(self, image, [*self.taps, *(tap for tap in taps if tap not in self.taps)]))
        return {
            name: cast(Size, shape[1:]) for name, shape in known.items() if name.map not in PROPOSAL_KINDS
        }


def kinds(taps: Sequence[Tap]) -> set[str]:
    """Return the kinds of the maps that the taps give."""
    return {name.map for tap in taps for name in tap.names()}
