"""torchvision's two-stage detectors, run as far as the maps asked for need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN

from backend.runs.specification import PROPOSAL_KINDS
from worker.probe.accumulate import proposal_positions
from worker.probe.detector import Detector, kinds
from worker.probe.maps import Tap, listening
from worker.probe.names import box_head_taps, every_level, mask_head_taps, rpn_taps
from worker.probe.networks import Receiver, on_meta


class TwoStage(Detector):
    """Faster or Mask R-CNN with FPN, up to the box head and the mask head.

    The box head sees all of an image's proposals (torchvision: 1,000 at most). The mask head sees the best of
    them by objectness, as many as the detector may return detections (torchvision: 100), and not its detections:
    those depend on the class scores, and a detector that has not learnt yet has none.
    """

    def __init__(self, model: GeneralizedRCNN) -> None:
        super().__init__(model)
        levels = every_level(model.backbone.fpn, self._own_levels)
        heads = model.roi_heads
        masks = mask_head_taps(heads.mask_head) if heads.has_mask() else []
        self.taps: tuple[Tap, ...] = (
            *self._backbone_taps(),
            *rpn_taps(model.rpn.head, levels),
            *box_head_taps(heads.box_head),
            *masks,
        )

    def _run_on_meta(self, batch: Tensor) -> None:
        model, heads = self._model, self._model.roi_heads
        features = on_meta(model.backbone, batch)
        on_meta(model.rpn.head, list(features.values()))
        pooled = [(heads.box_head, heads.box_roi_pool)]
        if heads.has_mask():
            pooled.append((heads.mask_head, heads.mask_roi_pool))
        for head, pool in pooled:
            on_meta(head, torch.empty(1, model.backbone.out_channels, *pool.output_size, device="meta"))

    def run(self, images: Sequence[Tensor], taps: Sequence[Tap], receive: Receiver) -> None:
        """Run a batch, through RPN and heads only where their maps are asked for."""
        batch, _ = self._model.transform(list(images))
        crop = self._cropping(images[0], batch.image_sizes[0], taps, receive)
        of_proposals = [tap for tap in taps if _is_of_proposals(tap)]
        with listening([tap for tap in taps if not _is_of_proposals(tap)], crop):
            features = self._model.backbone(batch.tensors)
            if of_proposals:
                proposals, _ = self._model.rpn(batch, features)
            elif "rpn" in kinds(taps):
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
