"""How images pass through each kind of model, and which part of each map is image and not padding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN

from backend.errors import InvalidInput
from worker.probe.accumulate import proposal_positions, valid_positions
from worker.probe.maps import MapName, Tap, listening
from worker.probe.names import body_taps, box_head_taps, fpn_levels, fpn_taps, rpn_taps, stages

Size = tuple[int, int]
"""(height, width) in pixels or positions."""

Shapes = Mapping[MapName, tuple[int, ...]]
"""Each map's shape for one image, in order of execution: (C, h, w), or (C,) where positions are proposals."""

Receiver = Callable[[MapName, list[Tensor]], None]
"""Takes a map as the positions (C, N_i) of each image of a batch."""


class Network(Protocol):
    """A model that the probe can run. All is called in evaluation mode and without gradients."""

    taps: tuple[Tap, ...]

    def input_size(self, image: Tensor) -> Size:
        """Return the size that the model gives the image (C, H, W), before padding."""

    def shapes(self, size: Size) -> Shapes:
        """Return the maps' shapes for one image of the given input size run alone and without padding."""

    def run(self, images: Sequence[Tensor], taps: Sequence[Tap], receive: Receiver) -> None:
        """Give the taps' maps of one batch to `receive`, cropped to each image's valid area."""


def network(model: nn.Module) -> Network:
    """Return how to run the model; raises `InvalidInput` for one whose maps have no names."""
    if isinstance(model, GeneralizedRCNN):
        return Detector(model)
    if hasattr(model, "conv1") and stages(model):
        return Classifier(model)
    raise InvalidInput(
        f"the probe knows torchvision's detectors and residual networks, not {type(model).__name__}"
    )


class Classifier:
    """A residual network that takes a batch (B, C, H, W) of images of one size."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self.taps = tuple(body_taps(model))

    def input_size(self, image: Tensor) -> Size:
        """Return the image's own size."""
        return image.shape[-2], image.shape[-1]

    def shapes(self, size: Size) -> Shapes:
        """Return the maps' shapes."""
        found: dict[MapName, tuple[int, ...]] = {}
        with listening(self.taps, _recorder(found)):
            _on_meta(self._model, torch.empty(1, 3, *size, device="meta"))
        return found

    def run(self, images: Sequence[Tensor], taps: Sequence[Tap], receive: Receiver) -> None:
        """Run a batch; nothing is padded."""
        batch = torch.stack(list(images))
        with listening(taps, lambda name, maps: receive(name, [image.flatten(1) for image in maps])):
            self._model(batch)


class Detector:
    """torchvision's Faster R-CNN with FPN, run as it runs in evaluation mode, up to the box head."""

    def __init__(self, model: GeneralizedRCNN) -> None:
        self._model = model
        self._shapes: dict[Size, Shapes] = {}
        backbone = model.backbone
        if not (hasattr(backbone, "body") and hasattr(backbone, "fpn")):
            raise InvalidInput(f"the probe needs a backbone with body and fpn, not {type(backbone).__name__}")
        levels = fpn_levels(backbone.body, backbone.fpn)
        pyramid = fpn_taps(backbone.fpn, levels)
        every_level = [*levels, "pool"] if backbone.fpn.extra_blocks is not None else levels
        self._backbone_taps = (*body_taps(backbone.body), *pyramid)
        self._rpn_taps = tuple(rpn_taps(model.rpn.head, every_level))
        self._box_head_taps = tuple(box_head_taps(model.roi_heads.box_head))
        self.taps = (*self._backbone_taps, *self._rpn_taps, *self._box_head_taps)

    def input_size(self, image: Tensor) -> Size:
        """Return the size to which the detector's transform resizes the image."""
        resized, _ = self._model.transform([torch.empty_like(image, device="meta")])
        return cast(Size, resized.image_sizes[0])

    def shapes(self, size: Size) -> Shapes:
        """Return the maps' shapes; one proposal stands for the image's."""
        if size not in self._shapes:
            model, found = self._model, dict[MapName, tuple[int, ...]]()
            with listening(self.taps, _recorder(found)):
                features = _on_meta(model.backbone, torch.empty(1, 3, *size, device="meta"))
                _on_meta(model.rpn.head, list(features.values()))
                pooled = (model.backbone.out_channels, *model.roi_heads.box_roi_pool.output_size)
                _on_meta(model.roi_heads.box_head, torch.empty(1, *pooled, device="meta"))
            self._shapes[size] = found
        return self._shapes[size]

    def run(self, images: Sequence[Tensor], taps: Sequence[Tap], receive: Receiver) -> None:
        """Run a batch, through no more of the detector than the taps ask for."""
        batch, _ = self._model.transform(list(images))
        shapes = [self.shapes(size) for size in batch.image_sizes]
        rpn = [tap for tap in taps if tap in self._rpn_taps]
        box_head = [tap for tap in taps if tap in self._box_head_taps]
        proposals: list[Tensor] = []

        def crop(name: MapName, maps: Tensor) -> None:
            receive(name, valid_positions(maps, [cast(Size, shape[name][1:]) for shape in shapes]))

        with listening([tap for tap in taps if tap not in box_head], crop):
            features = self._model.backbone(batch.tensors)
            if box_head:
                proposals, _ = self._model.rpn(batch, features)
            elif rpn:
                self._model.rpn.head(list(features.values()))
        if box_head:
            self._run_box_head(batch, features, proposals, box_head, receive)

    def _run_box_head(
        self,
        batch: Any,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        taps: Sequence[Tap],
        receive: Receiver,
    ) -> None:
        counts = [len(boxes) for boxes in proposals]
        if 0 in counts and not self._finite(features):
            _lose_proposals(self.shapes(batch.image_sizes[0]), batch.tensors.device, taps, receive)
            return
        heads = self._model.roi_heads
        with listening(taps, lambda name, rows: receive(name, proposal_positions(rows, counts))):
            heads.box_head(heads.box_roi_pool(features, proposals, batch.image_sizes))

    def _finite(self, features: dict[str, Tensor]) -> bool:
        """Return whether all that proposals are made from is finite: the RPN drops a NaN box like one of no size."""
        levels = list(features.values())
        scores, deltas = self._model.rpn.head(levels)
        return all(bool(torch.isfinite(level).all()) for level in (*levels, *scores, *deltas))


def _lose_proposals(shapes: Shapes, device: torch.device, taps: Sequence[Tap], receive: Receiver) -> None:
    """Give NaN for the maps of an image that has lost its proposals to NaN, and is not one without any."""
    for tap in taps:
        (name,) = tap.maps
        receive(name, [torch.full((shapes[name][0], 1), torch.nan, device=device)])


def _recorder(found: dict[MapName, tuple[int, ...]]) -> Callable[[MapName, Tensor], None]:
    def record(name: MapName, maps: Tensor) -> None:
        found[name] = tuple(maps.shape[1:])

    return record


def _on_meta(module: nn.Module, argument: Any) -> Any:
    """Run a module on shapes alone, without its weights' values, and return what it returns."""
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    return functional_call(module, {name: tensor.to("meta") for name, tensor in tensors.items()}, (argument,))
