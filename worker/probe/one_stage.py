"""torchvision's RetinaNet, run as far as the maps asked for need."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torchvision.models.detection import RetinaNet

from worker.probe.detector import Detector, kinds
from worker.probe.maps import Tap, listening
from worker.probe.names import every_level, retina_head_taps
from worker.probe.networks import Receiver, on_meta


class OneStage(Detector):
    """RetinaNet with FPN: all its maps are pictures, those of its two subnets one for each level."""

    def __init__(self, model: RetinaNet) -> None:
        super().__init__(model)
        levels = every_level(model.backbone.fpn, self._own_levels)
        self.taps: tuple[Tap, ...] = (*self._backbone_taps(), *retina_head_taps(model.head, levels))

    def _run_on_meta(self, batch: Tensor) -> None:
        features = on_meta(self._model.backbone, batch)
        on_meta(self._model.head, list(features.values()))

    def run(self, images: Sequence[Tensor], taps: Sequence[Tap], receive: Receiver) -> None:
        """Run a batch, through the subnets only where their maps are asked for."""
        batch, _ = self._model.transform(list(images))
        with listening(taps, self._cropping(images[0], batch.image_sizes[0], taps, receive)):
            features = self._model.backbone(batch.tensors)
            if "retina_head" in kinds(taps):
                self._model.head(list(features.values()))
