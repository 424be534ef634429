"""torchvision's two-stage detectors, run as far as the maps asked for need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN

from backend.errors import InvalidInput
from backend.runs.specification import PROPOSAL_KINDS
from worker.probe.accumulate import proposal_positions, valid_positions
from worker.probe.maps import MapName, Tap, listening
from worker.probe.names import body_taps, box_head_taps, fpn_levels, fpn_taps, mask_head_taps, rpn_taps
from worker.probe.networks import Receiver, Shape, Size, count, on_meta, shapes


class Detector:
    """Faster or Mask R-CNN with FPN, run as it runs in evaluation mode, up to the box head and the mask head.

    The box head sees all of an image's proposals (torchvision: 1,000 at most). The mask head sees the best of
    them by objectness, as many as the detector may return detections (torchvision: 100), and not its detections:
    those depend on the class scores, and a detector that has not learnt yet has none.
    """

    def __init__(self, model: GeneralizedRCNN) -> None:
        self._model = model
        self._shapes: dict[Size, dict[MapName, Shape]] = {}
        self._input_sizes: dict[Shape, Size] = {}
        backbone = model.backbone
        if not (hasattr(backbone, "body") and hasattr(backbone, "fpn")):
            raise InvalidInput(f"the probe needs a backbone with body and fpn, not {type(backbone).__name__}")
        levels = fpn_levels(backbone.body, backbone.fpn)
        every_level = [*levels, "pool"] if backbone.fpn.extra_blocks is not None else levels
        heads = model.roi_heads
        masks = mask_head_taps(heads.mask_head) if heads.has_mask() else []
        self.taps: tuple[Tap, ...] = (
            *body_taps(backbone.body),
            *fpn_taps(backbone.fpn, levels),
            *rpn_taps(model.rpn.head, every_level),
            *box_head_taps(heads.box_head),
            *masks,
        )

    def input_size(self, image: Tensor) -> Size:
        """Return the size to which the detector's transform resizes the image."""
        shape = tuple(image.shape)
        if shape not in self._input_sizes:
            resized, _ = self._model.transform([torch.empty_like(image, device="meta")])
            self._input_sizes[shape] = resized.image_sizes[0]
        return self._input_sizes[shape]

    def dry_run(self, image: Tensor) -> None:
        """Call every part with shapes alone; one proposal stands for the image's."""
        self._dry_run(image.shape[0], self.input_size(image))

    def _dry_run(self, channels: int, size: Size) -> None:
        model, heads = self._model, self._model.roi_heads
        features = on_meta(model.backbone, torch.empty(1, channels, *size, device="meta"))
        on_meta(model.rpn.head, list(features.values()))
        pooled = [(heads.box_head, heads.box_roi_pool)]
        if heads.has_mask():
            pooled.append((heads.mask_head, heads.mask_roi_pool))
        for head, pool in pooled:
            on_meta(head, torch.empty(1, model.backbone.out_channels, *pool.output_size, device="meta"))

    def positions(self, name: MapName, shape: Shape) -> int | None:
        """Return the number of positions of a map of one image; proposals are known only after a run."""
        return None if name.map in PROPOSAL_KINDS else count(shape)

    def run(self, images: Sequence[Tensor], taps: Sequence[Tap], receive: Receiver) -> None:
        """Run a batch, through no more of the detector than the taps ask for."""
        batch, _ = self._model.transform(list(images))
        sizes = self._valid(images[0], batch.image_sizes[0], taps)

        def crop(name: MapName, maps: Tensor) -> None:
            receive(name, valid_positions(maps, [sizes[name]] * len(images)))

        wanted = {name.map for tap in taps for name in tap.names()}
        of_proposals = [tap for tap in taps if _is_of_proposals(tap)]
        with listening([tap for tap in taps if not _is_of_proposals(tap)], crop):
            features = self._model.backbone(batch.tensors)
            if of_proposals:
                proposals, _ = self._model.rpn(batch, features)
            elif "rpn" in wanted:
                self._model.rpn.head(list(features.values()))
        if of_proposals:
            self._run_heads(batch, features, proposals, of_proposals, receive)

    def _run_heads(
        self,
        batch: Any,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        taps: Sequence[Tap],
        receive: Receiver,
    ) -> None:
        if any(len(boxes) == 0 for boxes in proposals) and not self._finite(features):
            known = self._shapes[batch.image_sizes[0]]
            for name in (name for tap in taps for name in tap.names()):
                # NaN in place of a map, for an image that has lost its proposals to NaN is not one without any.
                receive(name, [torch.full((known[name][0], 1), torch.nan, device=batch.tensors.device)])
            return
        heads = self._model.roi_heads
        best = [boxes[: heads.detections_per_img] for boxes in proposals]
        for kind, boxes in (("box_head", proposals), ("mask_head", best)):
            wanted = [tap for tap in taps if tap.names()[0].map == kind]
            if wanted:
                head, pool = heads.get_submodule(kind), heads.get_submodule(kind.replace("head", "roi_pool"))
                _run_head(head, pool(features, boxes, batch.image_sizes), boxes, wanted, receive)

    def _valid(self, image: Tensor, size: Size, taps: Sequence[Tap]) -> dict[MapName, Size]:
        """Return the valid height and width of the maps that are pictures, for an image of this input size."""
        known = self._shapes.setdefault(size, {})
        if any(name not in known for tap in taps for name in tap.names()):
            known.update(shapes(self, image, [*self.taps, *(tap for tap in taps if tap not in self.taps)]))
        return {
            name: cast(Size, shape[1:]) for name, shape in known.items() if name.map not in PROPOSAL_KINDS
        }

    def _finite(self, features: dict[str, Tensor]) -> bool:
        """Return whether all that proposals are made from is finite: the RPN drops a NaN box like one of no size."""
        levels = list(features.values())
        scores, deltas = self._model.rpn.head(levels)
        return all(bool(torch.isfinite(level).all()) for level in (*levels, *scores, *deltas))


def _is_of_proposals(tap: Tap) -> bool:
    return tap.names()[0].map in PROPOSAL_KINDS


def _run_head(
    head: nn.Module, pooled: Tensor, boxes: list[Tensor], taps: Sequence[Tap], receive: Receiver
) -> None:
    counts = [len(of_one) for of_one in boxes]
    with listening(taps, lambda name, rows: receive(name, proposal_positions(rows, counts))):
        head(pooled)
